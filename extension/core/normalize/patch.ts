/** Reads Codex `apply_patch` text. Source: the grammar in the tool's own description (`*** Begin Patch` … `*** End Patch`). */
export interface PatchFile {
  readonly path: string;
  readonly action: 'write' | 'delete';
  /** Offsets of the path in the patch. */
  readonly start: number;
  readonly end: number;
}

/** Codex strips white space around a header before it reads it, and ends lines at a line feed alone (seen with 0.169.0). */
const HEADER = /(?<![^\n])[^\S\n]{0,200}\*\*\* (Add File|Update File|Delete File|Move to):([^\n]*)/gu;

/** The files a patch touches; empty when `text` is no patch. */
export function patchFiles(text: string): readonly PatchFile[] {
  if (!text.includes('*** ')) return [];
  const files: PatchFile[] = [];
  for (const hit of text.matchAll(HEADER)) {
    const rest = hit[2] ?? '';
    const path = rest.trim();
    const start = hit.index + hit[0].length - rest.trimStart().length;
    if (path !== '') files.push({ path, action: hit[1] === 'Delete File' ? 'delete' : 'write', start, end: start + path.length });
  }
  return files;
}
