/** Reads Codex `apply_patch` text. Source: the grammar in the tool's own description (`*** Begin Patch` … `*** End Patch`). */
export interface PatchFile {
  readonly path: string;
  readonly action: 'write' | 'delete';
  /** Offsets of the path in the patch. */
  readonly start: number;
  readonly end: number;
}

const HEADER = /^\*\*\* (Add File|Update File|Delete File|Move to): (.*)$/gmu;

/** The files a patch touches; empty when `text` is no patch. */
export function patchFiles(text: string): readonly PatchFile[] {
  if (!text.includes('*** ')) return [];
  const files: PatchFile[] = [];
  for (const hit of text.matchAll(HEADER)) {
    const path = (hit[2] ?? '').trim();
    const start = hit.index + hit[0].length - (hit[2] ?? '').length;
    if (path !== '') files.push({ path, action: hit[1] === 'Delete File' ? 'delete' : 'write', start, end: start + path.length });
  }
  return files;
}
