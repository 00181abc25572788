/** The bundle `mcp-oauth.cjs`: the SDK's OAuth client, loaded only for a server that asks for signing in. */
export { oauthSignIn } from '#node/proxy/oauth/oauthClient.ts';
