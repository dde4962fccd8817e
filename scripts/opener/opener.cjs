// Shows the dashboard when the window opens.
const vscode = require('vscode');

exports.activate = () => vscode.commands.executeCommand('unroll.dashboard.focus');
