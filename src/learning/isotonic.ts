// The nearest sequence that never falls: pool adjacent violators.

/**
 * The non-falling sequence with the least weighted squared distance to `values` (M. Ayer et al., 1955, Annals of
 * Mathematical Statistics 26:641). `weights` are positive and as many. Linear in their number.
 */
export function isotonic(values: readonly number[], weights: readonly number[]): number[] {
  const blocks: { value: number; weight: number; count: number }[] = []
  for (const [i, value] of values.entries()) {
    let block = { value, weight: weights[i] ?? 1, count: 1 }
    for (let before = blocks.at(-1); before !== undefined && before.value > block.value; before = blocks.at(-1)) {
      blocks.pop()
      const weight = before.weight + block.weight
      block = {
        value: (before.value * before.weight + block.value * block.weight) / weight,
        weight,
        count: before.count + block.count,
      }
    }
    blocks.push(block)
  }
  return blocks.flatMap(({ value, count }) => new Array<number>(count).fill(value))
}
