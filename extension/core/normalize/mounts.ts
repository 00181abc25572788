/** Where one machine's files show up in another: WSL, Cygwin, containers that mount their host. */

/** Other absolute names of the same file, for paths below a well-known mount. */
export function mountsSeenThrough(absolute: string): readonly string[] {
  const drive =
    /^\/(?:mnt|cygdrive|host_mnt|run\/desktop\/mnt\/host)\/([a-z])(?=\/|$)|^\/([a-z])(?=\/(?:users|windows|programdata)(?:\/|$))/iu.exec(
      absolute,
    );
  if (drive) return [`${drive[1] ?? drive[2] ?? 'c'}:${absolute.slice(drive[0].length) || '/'}`];
  // Only what leads to a system's own folders: `/host/` and `/rootfs/` are names of projects too.
  const host =
    /^\/(?:host|hostfs|host-?root|rootfs|mnt\/(?:host|root|rootfs)|run\/host|host\/rootfs|media\/root|var\/host|sysroot)(?=\/(?:etc|root|home|var|proc|run|Users|boot|usr|sys)(?:\/|$))/u.exec(
      absolute,
    );
  return host ? [absolute.slice(host[0].length)] : [];
}
