// images.js - images for tests, made here: a tar file as `docker save` writes it, of files that are
// given. No registry and no container program is asked.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const BLOCK = 512;

function header(name, { size = 0, mode = 0o644, type = '0', link = '', uid = 0, gid = 0 }) {
  const block = Buffer.alloc(BLOCK);
  const octal = (value, at, width) => block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  if (name.length > 100 || link.length > 100) throw new Error(`name too long for this writer: ${name}`);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257, 'latin1');
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return block;
}

// entries: [name, { text | bytes, mode, dir, link, hardlink, uid, gid }]
export function tar(entries) {
  const parts = [];
  for (const [name, entry] of entries) {
    const bytes = entry.bytes ?? Buffer.from(entry.text ?? '');
    const type = entry.dir ? '5' : entry.link ? '2' : entry.hardlink ? '1' : '0';
    const size = type === '0' ? bytes.length : 0;
    const mode = entry.mode ?? (entry.dir ? 0o755 : 0o644);
    parts.push(header(name, { ...entry, size, mode, type, link: entry.link ?? entry.hardlink ?? '' }));
    if (size > 0) parts.push(bytes, Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// The words of busybox that tests use; all are one program.
const APPLETS =
  'sh sleep echo cat ls id env nc httpd wget touch mkdir rm kill ps hostname nslookup ip stat true false head dd seq test ping tail date chmod chown mount umount grep wc tr sort tar vi printf readlink mkfifo yes stty tty'.split(
    ' ',
  );

export function busyboxLayer(extra = []) {
  return tar([
    ['bin/', { dir: true }],
    ['bin/busybox', { bytes: readFileSync('/bin/busybox'), mode: 0o755 }],
    ...APPLETS.map((name) => [`bin/${name}`, { link: 'busybox' }]),
    ['etc/', { dir: true }],
    ['etc/passwd', { text: 'root:x:0:0:root:/root:/bin/sh\napp:x:1001:1001:app:/home/app:/bin/sh\n' }],
    ['etc/group', { text: 'root:x:0:\napp:x:1001:\nextra:x:2002:app\n' }],
    ['root/', { dir: true, mode: 0o700 }],
    ['home/', { dir: true }],
    ['home/app/', { dir: true, uid: 1001, gid: 1001 }],
    ['tmp/', { dir: true, mode: 0o1777 }],
    ...extra,
  ]);
}

// Writes FILE and gives its path. `layers`: tars, lowest first.
export function saveImage(file, names, layers, config = {}) {
  const ids = layers.map(sha256);
  const text = JSON.stringify({
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch],
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['sleep', '3600'], ...config },
    rootfs: { type: 'layers', diff_ids: ids.map((id) => `sha256:${id}`) },
    history: ids.map(() => ({ created: '2026-11-27T00:00:00Z', created_by: 'tests' })),
  });
  const manifest = [{ Config: `${sha256(text)}.json`, RepoTags: names, Layers: ids.map((id) => `${id}/layer.tar`) }];
  const entries = new Map([[manifest[0].Config, { text }], ...layers.map((bytes, i) => [`${ids[i]}/layer.tar`, { bytes }])]);
  writeFileSync(file, tar([...entries, ['manifest.json', { text: JSON.stringify(manifest) }]]));
  return file;
}

export function busyboxImage(dir, names, config, extra) {
  return saveImage(path.join(dir, `${names[0].replaceAll(/[^a-z0-9]/g, '-')}.tar`), names, [busyboxLayer(extra)], config);
}
