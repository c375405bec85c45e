import { cpus } from 'node:os';
import type { HostFacts } from './diagnosis.ts';

interface ReportPart {
  readonly header?: { readonly glibcVersionRuntime?: string };
  readonly sharedObjects?: readonly string[];
}

let known: HostFacts | undefined;

/** Looks at the system once; about 10 ms on Linux, where Node's own report tells the C library. */
export function hostFacts(): HostFacts {
  known ??= {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    ...(process.platform === 'linux' ? readLibc(report()) : { libc: null, glibc: null }),
    // Under Rosetta, too, the processor has Apple's name; an Intel Mac has Intel's.
    appleProcessor: process.platform === 'darwin' && (cpus()[0]?.model ?? '').includes('Apple'),
  };
  return known;
}

/** Reads the C library out of Node's report: glibc by its version, musl by its loader; else it is not known. */
export function readLibc(part: ReportPart): Pick<HostFacts, 'libc' | 'glibc'> {
  const version = part.header?.glibcVersionRuntime;
  if (typeof version === 'string') return { libc: 'glibc', glibc: version };
  const musl = part.sharedObjects?.some((file) => /\/(ld-musl-|libc\.musl-)/.test(file)) === true;
  return { libc: musl ? 'musl' : null, glibc: null };
}

function report(): ReportPart {
  // Other runtimes have no report, and then the C library stays unknown.
  const reporter = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined;
  if (reporter?.getReport === undefined) return {};
  const before = reporter.excludeNetwork;
  // Otherwise the report looks up the names of all open connections, which can take seconds.
  reporter.excludeNetwork = true;
  try {
    const part: unknown = reporter.getReport();
    return typeof part === 'string' ? (JSON.parse(part) as ReportPart) : (part as ReportPart);
  } finally {
    if (before !== undefined) reporter.excludeNetwork = before;
  }
}
