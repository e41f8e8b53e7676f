// Real: sockets and TLS on the loopback with certificates made here, and DNS packets from a name server of our own. No connector is stubbed.
import { createSocket, type Socket as DnsSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { createServer } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { dial } from '../../../../src/adapters/images-http/dial.ts'
import { askBoth } from '../../../../src/adapters/images-http/resolve.ts'
import { imageFetcher } from '../../../../src/apps/image-fetcher.ts'
import { readConfig } from '../../../../src/config.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { makeAuthority } from '../../../support/kafka/certificates.ts'
import { eventually } from './world.ts'

const never = new AbortController().signal

async function listen(server: net.Server): Promise<{ port: number; sockets: Set<net.Socket> }> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

describe('a connection goes to the checked addresses', () => {
  test('and the name is never looked up: it has none', async () => {
    const { port } = await listen(net.createServer())
    const socket = await dial({ host: 'no-such-name.invalid', port, secure: false, addresses: ['127.0.0.1'] }, never)
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
  })

  test('a host that is an address is dialled in its checked form', async () => {
    const { port } = await listen(net.createServer())
    const socket = await dial({ host: '192.0.2.1', port, secure: false, addresses: ['127.0.0.1'] }, never)
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
  })

  test('the next one where nobody listens at the first', async () => {
    const { port } = await listen(net.createServer())
    const socket = await dial({ host: 'a.invalid', port, secure: false, addresses: ['127.0.0.2', '127.0.0.1'] }, never)
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
  })

  test('nobody listens at any: refused', async () => {
    const { port } = await listen(net.createServer())
    await expect(
      dial({ host: 'a.invalid', port, secure: false, addresses: ['127.0.0.2'] }, never),
    ).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })
})

describe('TLS speaks with the name of the URL', () => {
  const authority = makeAuthority('strangers')
  const trusted = tls.getCACertificates('default')
  beforeAll(() => tls.setDefaultCACertificates([authority.ca]))
  afterAll(() => tls.setDefaultCACertificates(trusted))

  const serve = async (issuedTo: string, from = authority) => {
    const names: tls.TLSSocket['servername'][] = []
    const server = tls.createServer({ ...from.issue(issuedTo) }, (socket) => names.push(socket.servername))
    server.on('tlsClientError', () => undefined)
    return { names, ...(await listen(server)) }
  }
  const to = (host: string, port: number) => dial({ host, port, secure: true, addresses: ['127.0.0.1'] }, never)

  test('the server name is sent, and the certificate is of it', async () => {
    const { port, names } = await serve('pictures.example')
    const socket = await to('pictures.example', port)
    expect((socket as tls.TLSSocket).authorized).toBe(true)
    expect((socket as tls.TLSSocket).alpnProtocol).not.toBe('h2')
    await eventually(() => names.length === 1)
    expect(names).toEqual(['pictures.example'])
    socket.destroy()
  })

  test('a certificate of another name is refused, though it is that of the address', async () => {
    const other = await serve('other.example')
    await expect(to('pictures.example', other.port)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    const address = await serve('127.0.0.1')
    await expect(to('pictures.example', address.port)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await eventually(() => other.sockets.size === 0 && address.sockets.size === 0)
  })

  test('a certificate of nobody is refused, whatever the environment says', async () => {
    const { port } = await serve('pictures.example', makeAuthority('nobody'))
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      await expect(to('pictures.example', port)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })

  test('an address has no server name, and a certificate of its own', async () => {
    const { port, names } = await serve('127.0.0.1')
    const socket = await to('127.0.0.1', port)
    await eventually(() => names.length === 1)
    expect(names).toEqual([false])
    socket.destroy()
  })
})

test('the end leaves no socket: before, while shaking hands', async () => {
  // Who does not read does not see the end.
  const { port, sockets } = await listen(net.createServer((socket) => socket.resume()))
  const place = { host: 'a.invalid', port, secure: true, addresses: ['127.0.0.1'] }
  await expect(dial(place, AbortSignal.abort())).rejects.toThrow('ended')
  const end = new AbortController()
  const dialling = dial(place, end.signal)
  await eventually(() => sockets.size >= 1)
  end.abort()
  await expect(dialling).rejects.toThrow('ended')
  await eventually(() => sockets.size === 0)
})

test('nothing stubbed: a picture from a private network that the settings name, with its metrics; and none without', async () => {
  const server = createServer((request, response) => response.end(request.headers.host))
  const { port } = await listen(server)
  const open = { TOUCHSTONE_IMAGE_PORTS: String(port), TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '127.0.0.1' }
  const get = async (env: Record<string, string>) => {
    const telemetry = createTelemetry({ level: 'silent' })
    const fetcher = imageFetcher(readConfig(env), telemetry)
    const got = await fetcher.get({ url: `http://127.0.0.1:${port}/a.jpg` }, never)
    await fetcher.close()
    return { got, metrics: await telemetry.registry.metrics() }
  }
  const { got, metrics } = await get(open)
  if (got.state !== 'got') throw new Error(got.message)
  expect(Buffer.from(got.bytes).toString()).toBe(`127.0.0.1:${port}`)
  expect(metrics).toContain('touchstone_image_fetches_total{result="got"} 1')
  expect(metrics).toContain('touchstone_image_fetch_seconds_count 1')
  const refused = await get({ TOUCHSTONE_IMAGE_PORTS: String(port) })
  expect(refused.got).toMatchObject({ fault: 'address-refused' })
  expect(refused.metrics).toContain('touchstone_image_fetches_total{result="address-refused"} 1')
})

describe('names are asked of name servers', () => {
  /** Answers with these addresses, with a code, or not at all. */
  type Reply = readonly string[] | 'NXDOMAIN' | 'silence'
  async function nameServer(a: Reply, aaaa: Reply): Promise<Resolver> {
    const server: DnsSocket = createSocket('udp4')
    server.on('message', (query, { port, address }) => {
      const isA = query.readUInt16BE(query.indexOf(0, 12) + 1) === 1
      const answer = reply(query, isA ? a : aaaa, isA)
      if (answer !== undefined) server.send(answer, port, address)
    })
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const resolver = new Resolver({ timeout: 300, tries: 1 })
    resolver.setServers([`127.0.0.1:${server.address().port}`])
    return resolver
  }

  /** RFC 1035, section 4: the question again, then one record for each address. */
  function reply(query: Buffer, with_: Reply, isA: boolean): Buffer | undefined {
    if (with_ === 'silence') return undefined
    const addresses = with_ === 'NXDOMAIN' ? [] : with_
    const question = query.subarray(12, query.indexOf(0, 12) + 5)
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(with_ === 'NXDOMAIN' ? 0x8183 : 0x8180, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(addresses.length, 6)
    const records = addresses.map((address) => {
      const data = isA
        ? Buffer.from(address.split('.').map(Number))
        : Buffer.from(
            address
              .split(':')
              .map((part) => part.padStart(4, '0'))
              .join(''),
            'hex',
          )
      const record = Buffer.alloc(12)
      record.writeUInt16BE(0xc00c, 0)
      record.writeUInt16BE(isA ? 1 : 28, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt16BE(data.length, 10)
      return Buffer.concat([record, data])
    })
    return Buffer.concat([header, question, ...records])
  }
  const SIX = '2606:4700:0:0:0:0:0:1111'

  test.each<[string, Reply, Reply, string[]]>([
    ['all addresses of both families', ['1.1.1.1', '10.0.0.1'], [SIX], ['1.1.1.1', '10.0.0.1', '2606:4700::1111']],
    ['one family alone', [], [SIX], ['2606:4700::1111']],
    ['one family while the other is silent', ['1.1.1.1'], 'silence', ['1.1.1.1']],
  ])('%s', async (_, a, aaaa, expected) => {
    const found = await askBoth(await nameServer(a, aaaa), 'pictures.example', never)
    expect([...found].sort()).toEqual(expected)
  })

  test.each<[string, Reply, Reply, string]>([
    ['no such name', 'NXDOMAIN', 'NXDOMAIN', 'ENOTFOUND'],
    ['a name without addresses', [], [], 'ENODATA'],
    ['no answer', 'silence', 'silence', 'ETIMEOUT'],
  ])('%s', async (_, a, aaaa, code) => {
    await expect(askBoth(await nameServer(a, aaaa), 'pictures.example', never)).rejects.toMatchObject({ code })
  })

  test('the end ends the question', async () => {
    const end = new AbortController()
    const asking = askBoth(await nameServer('silence', 'silence'), 'pictures.example', end.signal)
    end.abort()
    await expect(asking).rejects.toMatchObject({ code: 'ECANCELLED' })
  })
})
