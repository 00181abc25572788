/** awk: commands and files that stand on either side of a pipe or a redirection. Source: POSIX XCU awk, and gawk's manual. */
import { addTo, type Found } from '#core/normalize/code/found.ts';

const ACTION =
  /"((?:[^"\\\n]|\\.){1,1000})"\s{0,9}\|&?\s{0,9}getline|(?:print|printf)\b[^|>\n;}]{0,300}(\|&?|>{1,2})\s{0,9}"((?:[^"\\\n]|\\.){1,1000})"|getline\s{0,9}\w{0,40}\s{0,9}<\s{0,9}"((?:[^"\\\n]|\\.){1,1000})"/gu;

export function awkActions(text: string, found: Found): void {
  for (const hit of text.matchAll(ACTION)) {
    const [, ran, sign, target, read] = hit;
    if (ran !== undefined) addTo(found.scripts, ran, found);
    else if (read !== undefined) addTo(found.paths, { text: read, access: 'read' }, found);
    else if (sign?.startsWith('|') === true) addTo(found.scripts, target ?? '', found);
    else addTo(found.paths, { text: target ?? '', access: 'write' }, found);
  }
  const socket = /"\/inet6?\/(?:tcp|udp)\/\d{1,5}\/([^/"]{1,255})\/\d{1,5}"/u.exec(text)?.[1];
  if (socket !== undefined)
    addTo(found.effects, { effect: /\|&?\s{0,9}getline/u.test(text) ? 'join-shell' : 'send', target: socket }, found);
}
