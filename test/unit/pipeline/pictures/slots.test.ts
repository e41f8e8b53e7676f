// Turns at something of which there is only so much. Real: all of it.
import { describe, expect, it } from 'vitest'
import { createSlots } from '../../../../src/pipeline/pictures/slots.ts'

describe('turns', () => {
  it('go to who came first', async () => {
    const slots = createSlots(1)
    const order: string[] = []
    await slots.take()
    const waiting = ['one', 'two'].map((name) => slots.take().then(() => order.push(name)))
    await Promise.resolve()
    expect(order).toEqual([])
    slots.release()
    await waiting[0]
    expect(order).toEqual(['one'])
    slots.release()
    await waiting[1]
    expect(order).toEqual(['one', 'two'])
  })

  it('come back all of them, however many waited', async () => {
    const slots = createSlots(3)
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        await slots.take()
        most = Math.max(most, (inside += 1))
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
        slots.release()
      }),
    )
    expect(most).toBe(3)
    await Promise.all([slots.take(), slots.take(), slots.take()])
  })
})
