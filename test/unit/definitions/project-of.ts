// What the tests of projects share: finding in the first of some files.
import { languageOfFile } from '../../../src/definitions/code/syntax.ts';
import { type LayerData, layerData } from '../../../src/definitions/describe.ts';
import { findDefinitions } from '../../../src/definitions/find.ts';
import { CONFIGURATION_FILE, type FileHost, ProjectFiles } from '../../../src/definitions/project/files.ts';
import { syntax } from './find.ts';

/** Layers of the first file. */
export async function layersIn(files: Readonly<Record<string, string>>): Promise<LayerData[]> {
  await syntax.load('python');
  await syntax.load('javascript');
  const host: FileHost = {
    list: () =>
      Object.keys(files).filter(name => !/\.(?:json|html)$/.test(name) || CONFIGURATION_FILE.test(name)),
    read: name => files[name] ?? null,
    data: (name, part) => (part === 'begin' ? files[name]?.slice(0, 200) : files[name]) ?? null,
    parse: (text, language) => syntax.parseNow(text, language),
  };
  const project = new ProjectFiles(host, '/p');
  const [file, text] = Object.entries(files)[0]!;
  const { layers } = await findDefinitions(syntax, text, languageOfFile(file)!, { project, file });
  project.dispose();
  return layers.map(layer => layerData(file, layer));
}
