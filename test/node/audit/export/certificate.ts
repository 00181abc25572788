/** A certificate for 127.0.0.1 that signs itself, made by OpenSSL as a person would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** The certificate's file. */
  readonly file: string;
  readonly remove: () => void;
}

export function certificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'callgate-cert-'));
  const [file, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  execFileSync('openssl', [...words, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', file], { stdio: 'ignore' });
  return {
    cert: readFileSync(file, 'utf8'),
    key: readFileSync(key, 'utf8'),
    file,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
