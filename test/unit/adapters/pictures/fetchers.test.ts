// Bytes from the listing itself and from a folder. Real: files, links, a pipe, on this machine.
import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { folderFetcher, inlineFetcher } from '../../../../src/adapters/pictures/fetchers.ts'
import { sha256Of } from '../../../support/pictures.ts'

const never = new AbortController().signal
const bytes = Buffer.from('the bytes of a picture')
const sha256 = sha256Of(bytes)

describe('inline', () => {
  const { get } = inlineFetcher(bytes.length)
  const data = bytes.toString('base64')

  test('gives the bytes and their hash', async () => {
    expect(await get({ data }, never)).toEqual({ state: 'got', bytes, sha256 })
    expect(await get({ data, sha256 }, never)).toMatchObject({ state: 'got' })
  })

  test('refuses other bytes than the hash binds', async () => {
    expect(await get({ data, sha256: 'a'.repeat(64) }, never)).toMatchObject({ fault: 'hash-differs' })
  })

  test('refuses one byte too many, and takes none at all for no bytes', async () => {
    const more = Buffer.concat([bytes, bytes.subarray(0, 1)]).toString('base64')
    expect(await get({ data: more }, never)).toMatchObject({ fault: 'too-large' })
    expect(await get({ data: '' }, never)).toMatchObject({ state: 'got', bytes: Buffer.alloc(0) })
    expect(await get({ url: 'https://pictures.example/1.jpg' }, never)).toMatchObject({ fault: 'gone' })
  })
})

describe('a folder', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'pictures-'))
  const root = join(outside, 'root')
  await mkdir(join(root, 'below'), { recursive: true })
  await mkdir(join(outside, 'root-beside'))
  for (const path of ['secret.png', 'root/1.png', 'root/below/two words.png', 'root-beside/1.png', 'root/..odd.png'])
    await writeFile(join(outside, path), bytes)
  await writeFile(join(root, 'large.png'), Buffer.concat([bytes, bytes]))
  await symlink(join(outside, 'secret.png'), join(root, 'out.png'))
  await symlink('../../secret.png', join(root, 'below', 'up.png'))
  await symlink(outside, join(root, 'upstairs'))
  await symlink('1.png', join(root, 'within.png'))
  await symlink('loop.png', join(root, 'loop.png'))
  await link(join(root, '1.png'), join(root, 'hard.png'))
  execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', join(root, 'pipe.png')])
  afterAll(() => rm(outside, { recursive: true }))

  const { get } = folderFetcher(root, bytes.length)
  const faultOf = async (url: string) => {
    const got = await get({ url }, never)
    return got.state === 'got' ? 'got' : got.fault
  }

  test.each(['1.png', './1.png', 'below//two words.png', 'below/two words.png', 'within.png', 'hard.png', '..odd.png'])(
    'reads %s',
    async (url) => {
      expect(await get({ url, sha256 }, never)).toEqual({ state: 'got', bytes, sha256 })
    },
  )

  test('reads one through a link to the folder', async () => {
    await symlink(root, join(outside, 'linked'))
    expect(await folderFetcher(join(outside, 'linked'), 100).get({ url: '1.png' }, never)).toMatchObject({
      state: 'got',
    })
  })

  test.each([
    '../secret.png',
    'below/../../secret.png',
    'below/../1.png',
    '..\\1.png',
    join(root, '1.png'),
    pathToFileURL(join(root, '1.png')).href,
    'x'.repeat(4_000),
    '',
    join(outside, 'secret.png'),
    pathToFileURL(join(outside, 'secret.png')).href,
    '../root-beside/1.png',
    'out.png',
    'below/up.png',
    'upstairs/secret.png',
    'loop.png',
    '1.png\0.jpg',
    'file://elsewhere/1.png',
    '.',
    '..',
    '/etc/hostname',
  ])('refuses %j', async (url) => {
    expect(await faultOf(url)).toBe('address-refused')
  })

  test('says what is wrong with a file', async () => {
    expect(await faultOf('none.png')).toBe('gone')
    expect(await faultOf('1.png/below')).toBe('gone')
    expect(await faultOf('below')).toBe('not-a-picture')
    // Nobody writes to it: whoever opened it to wait would wait for ever.
    expect(await faultOf('pipe.png')).toBe('not-a-picture')
    expect(await faultOf('large.png')).toBe('too-large')
    expect(await faultOf('https://pictures.example/1.png')).toBe('not-fetched')
    expect(await get({ data: 'AAAA' }, never)).toMatchObject({ fault: 'gone' })
    expect(await get({ url: '1.png', sha256: 'b'.repeat(64) }, never)).toMatchObject({ fault: 'hash-differs' })
  })

  test.skipIf(process.getuid?.() === 0)('a file that may not be read may be readable later', async () => {
    await chmod(join(root, 'hard.png'), 0)
    expect(await faultOf('hard.png')).toBe('unreachable')
    await chmod(join(root, 'hard.png'), 0o600)
  })
})
