/** Ends this process; replaced by what works when `process.exit` would wait for a thread without end. */
let end: (code: number) => void = (code) => process.exit(code);

/** Has {@link leave} end the process by `how` from now on. */
export function leaveBy(how: (code: number) => void): void {
  end = how;
}

/** Ends this process, once what it wrote is written. */
export function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => end(code)));
}
