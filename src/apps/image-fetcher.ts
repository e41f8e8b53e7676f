// Pictures by URL as the settings say, with what became of each in the metrics.
import { createHttpFetcher, type HttpFetcher } from '../adapters/images-http/fetcher.ts'
import type { Config } from '../config.ts'
import type { Telemetry } from '../telemetry.ts'

export function imageFetcher(config: Config, telemetry: Telemetry): HttpFetcher {
  const { touchstone_image_fetches_total: results, touchstone_image_fetch_seconds: seconds } = telemetry.metrics
  return createHttpFetcher({
    hosts: config.TOUCHSTONE_IMAGE_HOSTS,
    ports: config.TOUCHSTONE_IMAGE_PORTS,
    privateNetworks: config.TOUCHSTONE_IMAGE_PRIVATE_NETWORKS ?? [],
    maxBytes: config.TOUCHSTONE_IMAGE_MAX_BYTES,
    timeMs: config.TOUCHSTONE_IMAGE_TIMEOUT_MS,
    cacheBytes: config.TOUCHSTONE_IMAGE_CACHE_BYTES,
    connections: config.TOUCHSTONE_IMAGE_CONNECTIONS,
    connectionsPerHost: config.TOUCHSTONE_IMAGE_HOST_CONNECTIONS,
    logger: telemetry.log,
    onResult(result, took) {
      results.inc({ result })
      seconds.observe(took)
    },
  })
}
