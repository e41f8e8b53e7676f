// A risk is written alike on the page and on a terminal. Real: the function of the page, read as the browser reads it, and ours.
import { expect, it } from 'vitest'
import { riskText } from '../../../src/apps/terminal.ts'

const PAGE = new URL('../../../src/api/page/dom.js', import.meta.url).href

it('says the same of a risk in the browser as in the demo, also near 0 and 1', async () => {
  const { risk } = (await import(PAGE)) as { risk: (value: number) => string }
  expect([0.995, 0.9899, 0.0005, 0.9995].map(risk)).toEqual(['99.5 %', '99 %', '<0.1 %', '>99.9 %'])
  const risks = Array.from({ length: 2_001 }, (_, i) => i / 2_000)
  expect(risks.filter((one) => risk(one) !== riskText(one))).toEqual([])
})
