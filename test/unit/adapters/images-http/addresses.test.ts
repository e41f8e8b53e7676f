// Real: the rule, ipaddr.js and URL; a resolver and a connector that tell what they were asked. Nothing is connected to.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAddressRule } from '../../../../src/adapters/images-http/addresses.ts'
import { createWorld, nothing } from './world.ts'

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '161.26.0.10',
  '166.11.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::127.0.0.1',
  '::8.8.8.8',
  '::ffff:127.0.0.1',
  '::ffff:a00:1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::a00:1',
  '100::1',
  '2001::1',
  '2001:0:7f00:1::',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2a00:1450::5efe:7f00:1',
  '2a00:1450::200:5efe:a00:1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  '2a00:1450::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'ff0e::1',
]
const ODD = [
  '',
  'localhost',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '2130706433',
  '8.8.8',
  '8.8.8.8.8',
  '8.8.8.8 ',
  '[2a00::1]',
  '1.1.1.1\0',
]
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '168.63.129.17',
  '166.12.0.1',
  '172.32.0.1',
  '192.0.1.1',
  '2606:4700::1111',
  '2a00:1450:4001:81b::200e',
]

describe('an address is taken when it is public unicast, in the one spelling that sockets know', () => {
  const rule = createAddressRule([])
  test.each([...PRIVATE, ...ODD])('refused: %j', (address) => expect(rule(address)).toBeUndefined())
  test.each(PUBLIC)('taken: %s', (address) => expect(rule(address)).toBe(address))

  test('networks that are named are taken, and nothing beside them', () => {
    const named = createAddressRule(['10.1.0.0/16', 'fd00::/8', '127.0.0.1'])
    expect(['10.1.2.3', 'fd12::1', '127.0.0.1', '8.8.8.8'].map(named)).toEqual([
      '10.1.2.3',
      'fd12::1',
      '127.0.0.1',
      '8.8.8.8',
    ])
    for (const other of ['10.2.0.1', '127.0.0.2', '::ffff:10.1.2.3', 'fe80::1', '::1', '64:ff9b::a01:203'])
      expect(named(other), other).toBeUndefined()
  })
})

/** All the ways in which browsers read the same 32 bits. */
function spellings(bits: number): string[] {
  const bytes = [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255]
  const hex = (n: number) => `0x${n.toString(16)}`
  const octal = (n: number) => `0${n.toString(8)}`
  const [a = 0, b = 0] = bytes
  const dotted = bytes.join('.')
  return [
    dotted,
    `${dotted}.`,
    String(bits),
    hex(bits),
    hex(bits).toUpperCase().replace('X', 'x'),
    octal(bits),
    bytes.map(hex).join('.'),
    bytes.map(octal).join('.'),
    bytes.map((n) => `000000${n.toString(8)}`).join('.'),
    `${a}.${bits & 0xffffff}`,
    `${a}.${b}.${bits & 0xffff}`,
    `${hex(a)}.${octal(b)}.${bits & 0xffff}`,
    dotted.replaceAll('.', '%2e'),
    dotted.replaceAll('.', '。'),
    dotted.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    `${dotted}..`,
    `[::ffff:${dotted}]`,
    `[0:0:0:0:0:ffff:${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}]`,
    `[::${dotted}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b:1::${dotted}]`,
    `[2002:${(bits >>> 16).toString(16)}:${(bits & 0xffff).toString(16)}::1]`,
  ]
}

const blocks: [number, number][] = [
  [0, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xe0000000, 4],
  [0xf0000000, 4],
]
const privateBits = fc
  .tuple(fc.constantFrom(...blocks), fc.nat({ max: 0xffffffff }))
  .map(([[network, bits], host]) => (network + (host % 2 ** (32 - bits))) >>> 0)

describe('a URL is refused before anything is looked up or connected to', () => {
  test('any IPv4 address of a private range, in any spelling', async () => {
    const world = await createWorld(nothing)
    await fc.assert(
      fc.asyncProperty(privateBits, fc.constantFrom('http', 'https'), async (bits, scheme) => {
        for (const host of spellings(bits)) {
          const got = await world.get(`${scheme}://${host}/a.jpg`)
          expect(got, host).toMatchObject({ state: 'unseen', fault: 'address-refused' })
        }
      }),
      { numRuns: 200 },
    )
    expect(world.looked).toEqual([])
    expect(world.dialled).toEqual([])
  })

  test.each([
    ...PRIVATE.filter((address) => address.includes(':')).map((address) => `http://[${address}]/`),
    'http://[fe80::1%25eth0]/',
    'http:\\\\127.0.0.1\\a.jpg',
    'http:127.0.0.1/a.jpg',
    'http:///127.0.0.1/a.jpg',
    'http://127.0.0.1\t/a.jpg',
    ' http://127.0.0.1/a.jpg',
    'http://127.1',
    'http://0/',
    'http://1.1.1.1@127.0.0.1/',
    'http://127.0.0.1#@1.1.1.1/',
    'http://127.0.0.1?@1.1.1.1/',
    'http://user:secret@pictures.example/',
    'ftp://pictures.example/a.jpg',
    'file:///etc/passwd',
    'data:image/png;base64,AA==',
    'gopher://pictures.example:80/',
    'http://pictures.example:22/',
    'http://pictures.example:0/',
    'https://pictures.example:6379/',
    'http://./',
    'http://',
    'not a url',
    `http://pictures.example/${'a'.repeat(5_000)}`,
  ])('%s', async (url) => {
    const world = await createWorld(nothing)
    expect(await world.get(url)).toMatchObject({ state: 'unseen', fault: 'address-refused' })
    expect([...world.looked, ...world.dialled]).toEqual([])
    expect(world.results).toEqual(['address-refused'])
  })

  test.each([['1.1.1.1'], ['0x01010101'], ['16843009'], ['１.１.１.１'], ['1.1.1.1.']])(
    'a public address is connected to as itself: %s',
    async (host) => {
      const world = await createWorld((_, response) => response.end('picture'))
      expect(await world.get(`http://${host}/a.jpg`)).toMatchObject({ state: 'got' })
      expect(world.dialled).toEqual([{ host: '1.1.1.1', port: 80, secure: false, addresses: ['1.1.1.1'] }])
      expect(world.looked).toEqual([])
    },
  )
})

describe('a name is refused when one of its addresses is not public', () => {
  test.each(PRIVATE.map((address) => [address]))('%s beside a public one', async (address) => {
    const world = await createWorld(nothing, { names: () => ['1.1.1.1', address] })
    const got = await world.get('https://pictures.example/a.jpg?key=secret')
    expect(got).toMatchObject({ state: 'unseen', fault: 'address-refused' })
    expect(JSON.stringify(got)).not.toContain('secret')
    expect(world.dialled).toEqual([])
  })

  test('a second answer that differs: the first is connected to as it was checked, the next connection is refused', async () => {
    let asked = 0
    const world = await createWorld((_, response) => response.setHeader('connection', 'close').end('picture'), {
      names: () => (asked++ === 0 ? ['1.1.1.1', '2606:4700::1111'] : ['127.0.0.1']),
    })
    expect(await world.get('http://rebinding.example/a.jpg')).toMatchObject({ state: 'got' })
    expect(world.dialled).toEqual([
      { host: 'rebinding.example', port: 80, secure: false, addresses: ['1.1.1.1', '2606:4700::1111'] },
    ])
    expect(world.requests.map((r) => r.host)).toEqual(['rebinding.example'])
    expect(await world.get('http://rebinding.example/a.jpg')).toMatchObject({ fault: 'address-refused' })
    expect(world.dialled).toHaveLength(1)
  })

  test('of a thousand addresses all are checked and a few tried', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `1.1.${i >> 8}.${i & 255}`)
    const world = await createWorld((_, response) => response.end('picture'), {
      names: (host) => (host.startsWith('one-bad') ? [...many, '10.0.0.1'] : many),
    })
    expect(await world.get('http://one-bad.example/')).toMatchObject({ fault: 'address-refused' })
    expect(await world.get('http://good.example/')).toMatchObject({ state: 'got' })
    expect(world.dialled[0]?.addresses).toEqual(many.slice(0, 4))
  })

  test('a private network that a setting names is asked, by name and by address', async () => {
    const world = await createWorld((_, response) => response.end('picture'), {
      names: () => ['10.1.2.3'],
      privateNetworks: ['10.1.0.0/16'],
    })
    expect(await world.get('http://pictures.internal/')).toMatchObject({ state: 'got' })
    expect(await world.get('http://10.1.9.9/')).toMatchObject({ state: 'got' })
    expect(await world.get('http://10.2.9.9/')).toMatchObject({ fault: 'address-refused' })
  })
})

describe('allowed hosts', () => {
  test('exact names and all below a name; an allowed host must be public all the same', async () => {
    const world = await createWorld((_, response) => response.end('picture'), {
      hosts: ['pictures.example', '*.Shop.example', 'bücher.example'],
      names: (host) => (host === 'inside.shop.example' ? ['192.168.0.1'] : ['1.1.1.1']),
    })
    const states = async (...urls: string[]) =>
      Promise.all(urls.map(async (url) => (await world.get(url)).state === 'got'))
    expect(
      await states(
        'http://pictures.example/',
        'http://PICTURES.example./',
        'http://a.shop.example/',
        'http://a.b.shop.example/',
        'http://xn--bcher-kva.example/',
      ),
    ).toEqual([true, true, true, true, true])
    expect(
      await states(
        'http://shop.example/',
        'http://evilshop.example/',
        'http://a.pictures.example/',
        'http://pictures.example.evil.example/',
        'http://1.1.1.1/',
        'http://inside.shop.example/',
      ),
    ).toEqual([false, false, false, false, false, false])
  })
})
