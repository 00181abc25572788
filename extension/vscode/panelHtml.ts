/** The panel's page: an empty body, one script, one style sheet, and nothing else may load. */
export interface PanelPage {
  /** Fresh for every page. */
  readonly nonce: string;
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
}

const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

export function panelHtml(page: PanelPage): string {
  const policy = `default-src 'none'; style-src ${page.cspSource}; script-src 'nonce-${page.nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Callgate</title>
<link rel="stylesheet" href="${attribute(page.style)}">
</head>
<body>
<script nonce="${attribute(page.nonce)}" src="${attribute(page.script)}"></script>
</body>
</html>
`;
}
