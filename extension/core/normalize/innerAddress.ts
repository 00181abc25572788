/** Tells whether an address names an inner one in its path or query: how a proxy or a redirect is made to reach inside. */
import { readHost } from '#core/normalize/host.ts';

const MAX_VALUES = 64;
/** Parameters that fetchers and redirectors read their target from. */
const TARGET =
  /^(?:.{0,20}[_.-])?(?:url|uri|u|to|dest|destination|target|src|source|fetch|proxy|image|img|imgurl|feed|file|path|load|site|page|domain|host|hostname|endpoint|webhook|link|href|open|go|view|ref|resource|remote|address|addr|ip|server|upstream|backend|forward|location|out|download|document|doc|xml|xsl|wsdl|import|preview|avatar|icon)$/iu;
/** Words people search for, or write, may be addresses. */
const WORDS = /^(?:q|query|search|s|text|title|body|keyword|keywords|message|comment|subject|description)$/iu;

export function pointsInside(path: string, query: string): boolean {
  if (query !== '') {
    const signIn = /(?:^|[&;])(?:client_id|response_type|redirect_uri|code_challenge)=/iu.test(query);
    for (const piece of query.split(/[&;]/u, MAX_VALUES)) {
      const cut = piece.indexOf('=');
      const key = cut < 0 ? '' : piece.slice(0, cut);
      if (WORDS.test(key)) continue;
      const kinds = inner(decoded(cut < 0 ? piece : piece.slice(cut + 1)));
      if (kinds === 'deep' || (kinds === 'near' && !signIn && (key === '' || TARGET.test(key)))) return true;
    }
  }
  if (path.length < 8) return false;
  const plain = decoded(path);
  const proxied = /[/=](?:https?|ftp|gopher|file):?[\\/]{1,3}([^\\/?#]{1,253})/iu.exec(plain);
  if (proxied && inner(`//${proxied[1] ?? ''}`) !== null) return true;
  return /\/(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata\.google\.internal)\/(?:latest|meta|compute|open|opc|v\d|hetzner|\d)/iu.test(
    plain,
  );
}

/** `deep`: an inner network or the cloud's own address · `near`: this machine · null: neither. */
function inner(value: string): 'deep' | 'near' | null {
  const shape = /^(?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]{2,3}(?:[^\\/@]{0,200}@)?(\[[^\]]{2,60}\]|[^\\/?#:]{1,253})/iu.exec(value);
  const bare = shape ? null : /^((?:\d{1,3}\.){3}\d{1,3}|localhost|metadata\.google\.internal)(?=[:/?#]|$)/iu.exec(value);
  const host = shape?.[1] ?? bare?.[1];
  if (host === undefined) return null;
  const { kinds, name } = readHost(host);
  if (kinds.has('metadata') || kinds.has('private') || (kinds.has('internal') && name.includes('.'))) return 'deep';
  if (kinds.has('encoded-ip') && kinds.has('loopback')) return 'deep';
  return kinds.has('loopback') ? 'near' : null;
}

function decoded(text: string): string {
  let out = text.slice(0, 2048);
  for (let round = 0; round < 2 && out.includes('%'); round++)
    out = out.replace(/%([2-7][0-9a-f])/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return out;
}
