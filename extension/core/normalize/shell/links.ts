/** Links the call makes to folders: what is done behind the link is done there. */
import type { PathField, Place } from '#core/normalize/fields.ts';
import type { Built, Job } from '#core/normalize/shell/job.ts';

const MAX_LINKS = 64;

/** Remembers `ln -s folder name`. */
export function rememberLink(field: Built, place: Place, job: Job, folder: string): void {
  const [target, name] = field.operands;
  if (field.program !== 'ln' || !field.flags.has('s') || target === undefined || name === undefined || job.links.size >= MAX_LINKS) return;
  for (const path of job.collector.path(place, name, 'use', folder)) job.links.set(path.text, target);
}

/** What a path with a link in it, and something behind the link, stands for. */
export function throughLink(found: readonly PathField[], written: string, job: Job): readonly string[] {
  const out: string[] = [];
  for (const { text } of found)
    for (const [name, target] of job.links)
      if (text.startsWith(`${name}/`)) out.push(target + text.slice(name.length));
      // `x/` is the folder, `x` the link.
      else if (text === name && written.endsWith('/')) out.push(target);
  return out;
}
