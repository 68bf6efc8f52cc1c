/** The file in which a raw event's body lies: its content type names it where the body is too large for the database. */
export function spooledFile(contentType: string): string | undefined {
  return /;\s*spool=([0-9a-f]{64})/.exec(contentType)?.[1];
}
