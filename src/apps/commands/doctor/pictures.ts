// What `doctor` says of where pictures come from: what is open that somebody may have opened for a trial and forgotten.
import type { Config } from '../../../config.ts'
import type { Finding } from './finding.ts'

type Settings = Pick<Config, 'TOUCHSTONE_IMAGE_HOSTS' | 'TOUCHSTONE_IMAGE_PORTS' | 'TOUCHSTONE_IMAGE_PRIVATE_NETWORKS'>

export function pictures(config: Settings): Finding {
  const hosts = config.TOUCHSTONE_IMAGE_HOSTS
  const named = config.TOUCHSTONE_IMAGE_PRIVATE_NETWORKS ?? []
  const from = hosts === undefined ? 'any public host' : `${hosts.length} hosts or domains that are named`
  const detail = `by URL from ${from}, on ports ${config.TOUCHSTONE_IMAGE_PORTS.join(', ')}`
  if (named.length === 0) return { name: 'pictures', state: 'ok', detail }
  return {
    name: 'pictures',
    state: 'warning',
    detail: `${detail}, and from ${named.join(', ')}, where every seller can make this machine send requests`,
    cure:
      hosts === undefined
        ? 'name the hosts that are meant in TOUCHSTONE_IMAGE_HOSTS, or unset TOUCHSTONE_IMAGE_PRIVATE_NETWORKS'
        : 'unset TOUCHSTONE_IMAGE_PRIVATE_NETWORKS unless these hosts serve nothing but pictures there',
  }
}
