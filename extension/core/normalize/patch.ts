/** Reads Codex `apply_patch` text. Source: the grammar in the tool's own description (`*** Begin Patch` … `*** End Patch`). */
export interface PatchFile {
  readonly path: string;
  readonly action: 'write' | 'delete';
  /** Offsets of the path in the patch. */
  readonly start: number;
  readonly end: number;
}

const HEADER = /^\*\*\* (Add File|Update File|Delete File|Move to):/u;
/** Codex strips white space around a line before it reads it as a header: Rust's, which counts NEL (seen with 0.169.0). */
const LEADING = /^[\s\u0085]+/u;

/** The files a patch touches; empty when `text` is no patch. */
export function patchFiles(text: string): readonly PatchFile[] {
  if (!text.includes('*** ')) return [];
  const files: PatchFile[] = [];
  let at = 0;
  // A line ends at a line feed alone; other separators belong to the path.
  for (const line of text.split('\n')) {
    const indent = LEADING.exec(line)?.[0].length ?? 0;
    const hit = HEADER.exec(line.slice(indent, indent + 40));
    if (hit) {
      const rest = line.slice(indent + hit[0].length);
      const path = rest.replace(LEADING, '').replaceAll('\u0085', ' ').trim();
      const start = at + line.length - rest.length + (LEADING.exec(rest)?.[0].length ?? 0);
      if (path !== '') files.push({ path, action: hit[1] === 'Delete File' ? 'delete' : 'write', start, end: start + path.length });
    }
    at += line.length + 1;
  }
  return files;
}
