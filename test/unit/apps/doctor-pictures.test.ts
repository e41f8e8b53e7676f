// Real: what doctor says of the settings of pictures; no machine is looked at.
import { expect, test } from 'vitest'
import { pictures } from '../../../src/apps/commands/doctor/pictures.ts'
import { readConfig } from '../../../src/config.ts'

test('any public host is no warning, a private network is one, with what to do', () => {
  expect(pictures(readConfig({}))).toEqual({
    name: 'pictures',
    state: 'ok',
    detail: 'by URL from any public host, on ports 80, 443',
  })
  const open = { TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '10.0.0.0/8', TOUCHSTONE_IMAGE_PORTS: '8080' }
  expect(pictures(readConfig(open))).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining('10.0.0.0/8'),
    cure: expect.stringContaining('TOUCHSTONE_IMAGE_HOSTS'),
  })
  expect(pictures(readConfig({ ...open, TOUCHSTONE_IMAGE_HOSTS: 'img.internal' }))).toMatchObject({
    state: 'warning',
    cure: expect.stringMatching(/^unset/),
  })
})
