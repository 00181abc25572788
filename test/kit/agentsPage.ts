/**
 * An https page on 127.0.0.1 for Claude's WebFetch, which takes neither plain http nor `localhost`.
 * The certificate is made here: Node can sign but not build one, and a key kept in the repository would look like a leak.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:https';
import { listen } from '#kit/model.ts';

export interface Page {
  readonly url: string;
  /** PEM, for NODE_EXTRA_CA_CERTS. */
  readonly certificate: string;
  /** Paths that were asked for. */
  readonly hits: readonly string[];
  readonly stop: () => Promise<void>;
}

export async function startPage(html: string): Promise<Page> {
  const { certificate, key } = selfSigned();
  const hits: string[] = [];
  const { port, stop } = await listen(
    (request, response) => {
      hits.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(html);
    },
    createServer({ cert: certificate, key }),
  );
  return { url: `https://127.0.0.1:${port}`, certificate, hits, stop };
}

/** A certificate for 127.0.0.1 that is its own authority: X.509 v3, P-256, SHA-256 (RFC 5280). */
function selfSigned(): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from('callgate test page')))));
  const day = 86_400_000;
  const validity = sequence(utcTime(Date.now() - day), utcTime(Date.now() + day));
  const addresses = extension('551d11', sequence(tagged(0x87, Buffer.from([127, 0, 0, 1]))));
  const authority = extension('551d13', sequence(tagged(0x01, Buffer.from([0xff]))));
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(addresses, authority)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  const base64 = sequence(body, ecdsaWithSha256, signature).toString('base64');
  const certificate = `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** One DER element: tag, length, content. */
function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function extension(hex: string, value: Buffer): Buffer {
  return sequence(oid(hex), tagged(0x04, value));
}

function utcTime(time: number): Buffer {
  return tagged(0x17, Buffer.from(`${new Date(time).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}
