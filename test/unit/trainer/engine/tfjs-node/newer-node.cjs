// For mocha --require: takes away what Node 23 took out of util.
const util = require('node:util');
delete util.isNullOrUndefined;
delete util.isArray;
