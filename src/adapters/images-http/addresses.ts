// Which addresses a stranger's name or URL may lead to: public unicast, and the private networks that a setting names.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The address as sockets take it; undefined when we connect to nothing there. */
export type AddressRule = (address: string) => string | undefined

/** @param privateNetworks addresses and CIDR networks that are allowed although they are not public. */
export function createAddressRule(privateNetworks: readonly string[]): AddressRule {
  const networks = privateNetworks.map(networkOf)
  return (text) => {
    // Strictly: what two parsers read differently (octal, hexadecimal, short forms) is the oldest way through a guard. URLs
    // were normalised before; a resolver has no reason to answer so. A zone names an interface of this machine.
    if (isIP(text) === 0 || text.includes('%')) return undefined
    const address = ipaddr.parse(text)
    const named = networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))
    return named || isPublic(address) ? address.toString() : undefined
  }
}

function networkOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  return ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`)
}

/** All that IANA gave out for global unicast so far; IPv4-compatible, NAT64 and whatever else wraps an address lie outside. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Public by number and yet the inside of a cloud, to whoever asks from within it: the agent of every Azure host, which hands
 * out certificates and settings, and the two networks in which IBM Cloud keeps its services.
 */
const INSIDE: [ipaddr.IPv4, number][] = ['168.63.129.16/32', '161.26.0.0/16', '166.8.0.0/14'].map((network) =>
  ipaddr.IPv4.parseCIDR(network),
)

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false
  if (!('parts' in address)) return !INSIDE.some(([network, bits]) => address.match(network, bits))
  const [, , , , fifth, sixth] = address.parts
  // ISATAP: an interface identifier that wraps an IPv4 address of whoever routes it.
  const wrapsIPv4 = (fifth === 0 || fifth === 0x200) && sixth === 0x5efe
  return address.match(GLOBAL_UNICAST) && !wrapsIPv4
}
