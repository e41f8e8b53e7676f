// Two processes on one fresh store: what most promises of a store are tried with.
import { onTestFinished } from 'vitest'

/** The store is closed when the test that runs has finished, after its own `afterEach`. */
export async function twoNodes<Node>(
  start: () => Promise<{ node(): Promise<Node>; close(): Promise<void> }>,
): Promise<[Node, Node]> {
  const shared = await start()
  onTestFinished(() => shared.close())
  return [await shared.node(), await shared.node()]
}
