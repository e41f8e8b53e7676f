;; Counts differing bits of hashes in memory: what hash-kernel.ts holds assembled, and its test assembles again.
;;
;; Memory: 0 the query's halves A B, 32 the same as B A; hashes in blocks of 4096, each 64 KiB of halves A and 64 KiB of B.
;; The functions write what they find to $out, as pairs of slot and distance (32 bits each), and return how many.
(module
  (import "host" "memory" (memory 1))
  ;; Of the last scan: how many got as far as their other half.
  (global $passed (export "passed") (mut i32) (i32.const 0))

  ;; Bits in which 16 bytes at $a and at $b differ.
  (func $apart (param $a i32) (param $b i32) (result i32)
    (i32.wrap_i64 (i64.add
      (i64.popcnt (i64.xor (i64.load (local.get $a)) (i64.load (local.get $b))))
      (i64.popcnt (i64.xor (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))))))

  ;; $count hashes of one block in their order: $at their first halves, $other bytes on the second; $query fits that order.
  (func (export "scan") (param $at i32) (param $other i32) (param $count i32) (param $slot i32) (param $query i32)
    (param $limit i32) (param $out i32) (result i32)
    (local $low i64) (local $high i64) (local $bits i64) (local $most i64) (local $total i32) (local $end i32) (local $to i32)
    (local.set $most (i64.extend_i32_u (local.get $limit)))
    (local.set $low (i64.load (local.get $query)))
    (local.set $high (i64.load offset=8 (local.get $query)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 4))))
    (local.set $to (local.get $out))
    (global.set $passed (i32.const 0))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bits (i64.add
          (i64.popcnt (i64.xor (local.get $low) (i64.load (local.get $at))))
          (i64.popcnt (i64.xor (local.get $high) (i64.load offset=8 (local.get $at))))))
        (if (i64.le_u (local.get $bits) (local.get $most))
          (then
            (global.set $passed (i32.add (global.get $passed) (i32.const 1)))
            (local.set $total (i32.add
              (i32.wrap_i64 (local.get $bits))
              (call $apart (i32.add (local.get $at) (local.get $other)) (i32.add (local.get $query) (i32.const 16)))))
            (if (i32.le_u (local.get $total) (local.get $limit))
              (then
                (i32.store (local.get $to) (local.get $slot))
                (i32.store offset=4 (local.get $to) (local.get $total))
                (local.set $to (i32.add (local.get $to) (i32.const 8)))))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 3)))

  ;; The same without an early end: what half of the hashes would get past is guessed wrong half of the time.
  (func (export "compare") (param $at i32) (param $other i32) (param $count i32) (param $slot i32) (param $limit i32)
    (param $out i32) (result i32)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $bits i64) (local $most i64)
    (local $end i32) (local $to i32)
    (local.set $most (i64.extend_i32_u (local.get $limit)))
    (local.set $a (i64.load (i32.const 0)))
    (local.set $b (i64.load (i32.const 8)))
    (local.set $c (i64.load (i32.const 16)))
    (local.set $d (i64.load (i32.const 24)))
    (local.set $other (i32.add (local.get $other) (local.get $at)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 4))))
    (local.set $to (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bits (i64.add
          (i64.add
            (i64.popcnt (i64.xor (local.get $a) (i64.load (local.get $at))))
            (i64.popcnt (i64.xor (local.get $b) (i64.load offset=8 (local.get $at)))))
          (i64.add
            (i64.popcnt (i64.xor (local.get $c) (i64.load (local.get $other))))
            (i64.popcnt (i64.xor (local.get $d) (i64.load offset=8 (local.get $other)))))))
        (if (i64.le_u (local.get $bits) (local.get $most))
          (then
            (i32.store (local.get $to) (local.get $slot))
            (i32.store offset=4 (local.get $to) (i32.wrap_i64 (local.get $bits)))
            (local.set $to (i32.add (local.get $to) (i32.const 8)))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $other (i32.add (local.get $other) (i32.const 16)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 3)))

  ;; $count slots, 32 bits each, listed at $list; the first block begins at $blocks.
  (func (export "verify") (param $list i32) (param $count i32) (param $blocks i32) (param $most i32) (param $out i32)
    (result i32)
    (local $slot i32) (local $at i32) (local $bits i32) (local $end i32) (local $to i32)
    (local.set $end (i32.add (local.get $list) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $to (local.get $out))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $list) (local.get $end)))
        (local.set $slot (i32.load (local.get $list)))
        (local.set $at (i32.add (local.get $blocks) (i32.add
          (i32.shl (i32.shr_u (local.get $slot) (i32.const 12)) (i32.const 17))
          (i32.shl (i32.and (local.get $slot) (i32.const 4095)) (i32.const 4)))))
        (local.set $bits (call $apart (local.get $at) (i32.const 0)))
        (if (i32.le_u (local.get $bits) (local.get $most))
          (then
            (local.set $bits (i32.add (local.get $bits)
              (call $apart (i32.add (local.get $at) (i32.const 65536)) (i32.const 16))))
            (if (i32.le_u (local.get $bits) (local.get $most))
              (then
                (i32.store (local.get $to) (local.get $slot))
                (i32.store offset=4 (local.get $to) (local.get $bits))
                (local.set $to (i32.add (local.get $to) (i32.const 8)))))))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $out)) (i32.const 3))))
