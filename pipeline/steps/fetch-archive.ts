import { download, printableUrl } from '../effects/http.ts';
import { readRegistryAccess, tarballUrl } from '../effects/npm-registry.ts';
import { BuildError, buildError } from '../plan/errors.ts';
import type { FirmwareArtifact } from '../plan/pins.ts';
import type { StepContext } from './step.ts';

/** What a download needs of a step or a command. */
export type ArchiveContext = Pick<StepContext, 'config' | 'variables' | 'signal' | 'progress'>;

type Source = FirmwareArtifact['sources'][number];

/** Bytes at most where a pin states neither size nor limit. */
const SIZE_LIMIT = 256 * 1024 * 1024;

interface Access {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly network: Parameters<typeof download>[0]['network'];
  /** How to reach the same file elsewhere, for the error message. */
  readonly mirror: string;
}

/**
 * Downloads one source of a pinned archive.
 * @returns The address, safe to print.
 * @throws BuildError A3S2003 when offline, A3S2002 and A3S2005 with provider, address, and the mirror and offline options.
 */
export async function fetchArchive(
  context: ArchiveContext,
  source: Source,
  pin: FirmwareArtifact['archive'],
  partial: string,
): Promise<string> {
  const provider = context.config.firmware;
  if (context.config.offline) {
    throw buildError('A3S2003', {
      message: `libkrunfw (provider ${provider}) is not in the store, and --offline is set`,
    });
  }
  const access = await ACCESS[source.kind](source as never, context);
  const url = printableUrl(access.url);
  try {
    await download({
      url: access.url,
      headers: access.headers,
      network: access.network,
      size: pin.size,
      sizeLimit: pin.sizeLimit ?? pin.size ?? SIZE_LIMIT,
      partial,
      signal: context.signal,
      onProgress: (done, total) =>
        context.progress({ done, unit: 'bytes', detail: url, ...(total === undefined ? {} : { total }) }),
    });
  } catch (error) {
    throw withMirrorHint(error, provider, access.mirror);
  }
  return url;
}

const ACCESS: {
  readonly [K in Source['kind']]: (source: Extract<Source, { kind: K }>, context: ArchiveContext) => Promise<Access>;
} = {
  async npm(source, { config, variables }) {
    const access = await readRegistryAccess(source.package, config.projectRoot, variables);
    return {
      ...access,
      url: tarballUrl(access.registry, source.package, source.version),
      mirror: 'set another registry with `npm config set registry <url>`',
    };
  },
  async url(source, { config }) {
    const mirror = config.environment.githubMirror?.replace(/\/$/, '');
    const url = mirror === undefined ? source.url : source.url.replace('https://github.com', mirror);
    return { url, headers: {}, network: {}, mirror: 'set A3S_GITHUB_MIRROR=<url>, or use --firmware npm' };
  },
};

function withMirrorHint(error: unknown, provider: string, mirror: string): unknown {
  if (!(error instanceof BuildError) || (error.code !== 'A3S2002' && error.code !== 'A3S2005')) return error;
  const { message, fix } = error.failure;
  return buildError(
    error.code,
    {
      message: `libkrunfw could not be downloaded, provider ${provider}: ${message}`,
      fix: `${fix} For a mirror: ${mirror}.`,
    },
    error,
  );
}
