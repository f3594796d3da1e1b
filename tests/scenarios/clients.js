// clients.js - the clients that tools/clients brings: kubectl and helm of several versions, client-node.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const home = execFileSync(path.join(root, 'tools/clients'), { encoding: 'utf8' }).trim();

export const minors = [29, 30, 31, 32, 33, 34, 35];

// What to add to the environment so that `kubectl` and `helm` are those of the package of one minor.
export const environment = (minor) => ({
  PATH: [path.join(home, `v${minor}/kubectl`), path.join(home, `v${minor}/helm`), process.env.PATH].join(':'),
});

export const clientNode = () =>
  import(pathToFileURL(path.join(home, 'node_modules/@kubernetes/client-node/dist/index.js')));
