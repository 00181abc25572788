/** Signing in to MCP servers with the windows' help: they keep the secrets, show the page and tell how it ended. */
import { showInWindow, windowSecrets, type Errands } from '#node/broker/errands.ts';
import { openPage } from '#node/proxy/oauth/openPage.ts';
import { relaySignIn, type RelaySignIn } from '#node/proxy/oauth/relaySignIn.ts';

const TOLD_MS = 5000;

export function windowSignIn(errands: Errands, bundleFolder: string): RelaySignIn {
  return relaySignIn({
    bundleFolder,
    secrets: windowSecrets(errands),
    showPage: async (page, say) => {
      if (await showInWindow(errands, page)) return;
      await openPage(page.url, { env: process.env, platform: process.platform, say });
    },
    told: (server, problem) => void errands.ask({ kind: 'signedIn', server, problem }, TOLD_MS),
  });
}
