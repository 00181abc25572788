/** Aliases, parameters and variables of PowerShell. Source: learn.microsoft.com/powershell, about_Aliases and the cmdlets' pages. */

const ALIASES: ReadonlyMap<string, string> = new Map(
  `iex Invoke-Expression|iwr Invoke-WebRequest|irm Invoke-RestMethod|curl Invoke-WebRequest|wget Invoke-WebRequest|rm Remove-Item|del Remove-Item|erase Remove-Item|rd Remove-Item|rmdir Remove-Item|ri Remove-Item|rp Remove-ItemProperty|gc Get-Content|cat Get-Content|type Get-Content|sc Set-Content|ac Add-Content|clc Clear-Content|saps Start-Process|start Start-Process|sajb Start-Job|spps Stop-Process|kill Stop-Process|spsv Stop-Service|sasv Start-Service|gsv Get-Service|gps Get-Process|ps Get-Process|gci Get-ChildItem|ls Get-ChildItem|dir Get-ChildItem|cp Copy-Item|copy Copy-Item|cpi Copy-Item|mv Move-Item|move Move-Item|mi Move-Item|ren Rename-Item|rni Rename-Item|ni New-Item|md New-Item|mkdir New-Item|si Set-Item|gi Get-Item|sp Set-ItemProperty|gp Get-ItemProperty|cd Set-Location|chdir Set-Location|sl Set-Location|pwd Get-Location|gl Get-Location|echo Write-Output|write Write-Output|% ForEach-Object|foreach ForEach-Object|? Where-Object|where Where-Object|select Select-Object|sls Select-String|sort Sort-Object|tee Tee-Object|icm Invoke-Command|ii Invoke-Item|ipmo Import-Module|nal New-Alias|sal Set-Alias|sv Set-Variable|gv Get-Variable|set Set-Variable|gcm Get-Command|gm Get-Member|gwmi Get-WmiObject|iwmi Invoke-WmiMethod|swmi Set-WmiInstance|rwmi Remove-WmiObject|gcim Get-CimInstance|icim Invoke-CimMethod|ncim New-CimInstance|rcim Remove-CimInstance|gal Get-Alias|fl Format-List|ft Format-Table|epcsv Export-Csv|ipcsv Import-Csv|nsn New-PSSession|etsn Enter-PSSession|clear Clear-Host|cls Clear-Host|h Get-History|clhy Clear-History|compress Compress-Archive|measure Measure-Object|group Group-Object|sleep Start-Sleep|trcm Trace-Command|ogv Out-GridView|lp Out-Printer|pushd Push-Location|popd Pop-Location|gcb Get-Clipboard|scb Set-Clipboard|gin Get-ComputerInfo|stz Set-TimeZone|rvpa Resolve-Path|cvpa Convert-Path`
    .split('|')
    .map((line) => line.split(' ') as [string, string]),
);

/** The cmdlet a name stands for; the name itself when it is none. */
export const cmdletName = (name: string): string => ALIASES.get(name.toLowerCase()) ?? name;

const COMMON =
  'Path LiteralPath Filter Include Exclude Force Recurse Confirm WhatIf ErrorAction ErrorVariable WarningAction Verbose Credential ComputerName Name Value';
const PARAMETERS: ReadonlyMap<string, string> = new Map([
  [
    'invoke-webrequest',
    'Uri OutFile Method Body InFile Headers UseBasicParsing UseDefaultCredentials Credential ContentType UserAgent Proxy SkipCertificateCheck SessionVariable WebSession TimeoutSec Form PassThru',
  ],
  [
    'invoke-restmethod',
    'Uri OutFile Method Body InFile Headers UseBasicParsing UseDefaultCredentials Credential ContentType UserAgent Proxy SkipCertificateCheck SessionVariable WebSession TimeoutSec Form',
  ],
  [
    'start-process',
    'FilePath ArgumentList Verb WindowStyle NoNewWindow Wait PassThru WorkingDirectory Credential RedirectStandardOutput RedirectStandardInput RedirectStandardError LoadUserProfile UseNewEnvironment',
  ],
  ['invoke-expression', 'Command'],
  [
    'invoke-command',
    'ScriptBlock ComputerName FilePath ArgumentList Session Credential AsJob HideComputerName ConnectionUri Authentication UseSSL Port',
  ],
  ['set-executionpolicy', 'ExecutionPolicy Scope Force Confirm'],
  ['new-object', 'TypeName ComObject ArgumentList Property Strict'],
  ['add-type', 'TypeDefinition MemberDefinition AssemblyName Path LiteralPath Namespace Name Language PassThru ReferencedAssemblies'],
  ['start-bitstransfer', 'Source Destination Asynchronous DisplayName TransferType Priority Credential'],
  [
    'register-scheduledtask',
    'TaskName TaskPath Action Trigger Settings Principal User Password RunLevel Force Xml Description InputObject',
  ],
  ['new-scheduledtaskaction', 'Execute Argument WorkingDirectory Id'],
  ['new-service', 'Name BinaryPathName DisplayName StartupType Credential DependsOn Description'],
  ['set-service', 'Name StartupType Status DisplayName ComputerName PassThru'],
  ['stop-process', 'Name Id Force PassThru InputObject'],
  ['stop-service', 'Name Force PassThru InputObject DisplayName NoWait'],
  ['copy-item', `${COMMON} Destination Container ToSession FromSession`],
  ['move-item', `${COMMON} Destination`],
  ['remove-item', `${COMMON} Stream`],
  ['get-childitem', `${COMMON} Hidden File Directory Depth Attributes System ReadOnly`],
  ['new-item', `${COMMON} ItemType Target`],
  ['set-itemproperty', `${COMMON} Type PropertyType`],
  ['new-itemproperty', `${COMMON} PropertyType`],
  [
    'powershell',
    'Command EncodedCommand File ExecutionPolicy NoProfile NonInteractive NoExit NoLogo WindowStyle Version InputFormat OutputFormat Sta Mta',
  ],
]);

/** `-rec` → `-Recurse`: parameters may be cut short as long as they stay unique. Of several, the first listed. */
export function parameterName(cmdlet: string, written: string): string {
  const asked = written.slice(1).toLowerCase();
  const known = (PARAMETERS.get(cmdlet.toLowerCase()) ?? COMMON).split(' ');
  const full = known.find((name) => name.toLowerCase() === asked) ?? known.find((name) => name.toLowerCase().startsWith(asked));
  return full === undefined || asked === '' ? written : `-${full}`;
}

const ENVIRONMENT: ReadonlyMap<string, string> = new Map([
  ['userprofile', '~'],
  ['home', '~'],
  ['homepath', '~'],
  ['temp', '~/AppData/Local/Temp'],
  ['tmp', '~/AppData/Local/Temp'],
  ['appdata', '~/AppData/Roaming'],
  ['localappdata', '~/AppData/Local'],
  ['programdata', 'C:\\ProgramData'],
  ['allusersprofile', 'C:\\ProgramData'],
  ['public', 'C:\\Users\\Public'],
  ['systemroot', 'C:\\Windows'],
  ['windir', 'C:\\Windows'],
  ['systemdrive', 'C:'],
  ['homedrive', 'C:'],
  ['programfiles', 'C:\\Program Files'],
  ['comspec', 'C:\\WINDOWS\\system32\\cmd.exe'],
  ['path', 'C:\\Windows\\system32;C:\\Windows'],
  ['os', 'Windows_NT'],
]);

/** What an environment variable of Windows usually holds; null when that cannot be told. */
export const environmentOf = (name: string): string | null => ENVIRONMENT.get(name.toLowerCase()) ?? null;

/** Variables every shell has; letters of names are taken out of them. */
export const PRESET: readonly (readonly [string, string])[] = [
  ['pshome', 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0'],
  ['shellid', 'Microsoft.PowerShell'],
  ['verbosepreference', 'SilentlyContinue'],
  ['home', '~'],
  ['profile', '~/Documents/PowerShell/Microsoft.PowerShell_profile.ps1'],
  ['null', ''],
  ['true', 'True'],
  ['false', 'False'],
];
