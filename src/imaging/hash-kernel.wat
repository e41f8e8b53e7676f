;; Counts differing bits of hashes in memory: what hash-kernel.ts holds assembled, and its test assembles again.
;;
;; Memory: 0 the query, four words of 64 bits; hashes in blocks of 4096, each 64 KiB of words 0 1 and 64 KiB of words 2 3.
;; "compare" and "verify" write what they find to $out, as pairs of slot and distance (32 bits each), and return how many.
(module
  (import "host" "memory" (memory 1))
  ;; Bits in which 16 bytes at $a and at $b differ.
  (func $apart (param $a i32) (param $b i32) (result i32)
    (i32.wrap_i64 (i64.add
      (i64.popcnt (i64.xor (i64.load (local.get $a)) (i64.load (local.get $b))))
      (i64.popcnt (i64.xor (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))))))

  ;; Two words of each hash in a block, $at and $too of the first: lists the slots that differ in at most $limit bits there.
  ;; Eight at a time: $count is rounded up. A difference below zero shows in the sign of all eight together.
  (func (export "sift") (param $at i32) (param $too i32) (param $count i32) (param $slot i32)
    (param $qx i32) (param $qy i32) (param $limit i32) (param $list i32) (result i32)
    (local $x i64) (local $y i64) (local $beyond i64) (local $end i32) (local $to i32)
    (local.set $x (i64.load (local.get $qx)))
    (local.set $y (i64.load (local.get $qy)))
    (local.set $beyond (i64.extend_i32_u (i32.add (local.get $limit) (i32.const 1))))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 4))))
    (local.set $to (local.get $list))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i64.lt_s
          (i64.or
            (i64.or
              (i64.or
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=0 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=0 (local.get $too))))) (local.get $beyond))
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=16 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=16 (local.get $too))))) (local.get $beyond)))
              (i64.or
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=32 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=32 (local.get $too))))) (local.get $beyond))
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=48 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=48 (local.get $too))))) (local.get $beyond))))
            (i64.or
              (i64.or
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=64 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=64 (local.get $too))))) (local.get $beyond))
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=80 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=80 (local.get $too))))) (local.get $beyond)))
              (i64.or
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=96 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=96 (local.get $too))))) (local.get $beyond))
                (i64.sub (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=112 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=112 (local.get $too))))) (local.get $beyond)))))
          (i64.const 0))
          (then
            (i32.store (local.get $to) (local.get $slot))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=0 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=0 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 1)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=16 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=16 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 2)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=32 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=32 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 3)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=48 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=48 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 4)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=64 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=64 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 5)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=80 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=80 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 6)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=96 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=96 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 7)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=112 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=112 (local.get $too))))) (local.get $beyond)) (i32.const 2))))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 8)))
        (local.set $too (i32.add (local.get $too) (i32.const 128)))
        (local.set $at (i32.add (local.get $at) (i32.const 128)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $list)) (i32.const 2)))

  ;; The same where many are listed: without asking first, which would be guessed wrong too often.
  (func (export "sift_many") (param $at i32) (param $too i32) (param $count i32) (param $slot i32)
    (param $qx i32) (param $qy i32) (param $limit i32) (param $list i32) (result i32)
    (local $x i64) (local $y i64) (local $beyond i64) (local $end i32) (local $to i32)
    (local.set $x (i64.load (local.get $qx)))
    (local.set $y (i64.load (local.get $qy)))
    (local.set $beyond (i64.extend_i32_u (i32.add (local.get $limit) (i32.const 1))))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 4))))
    (local.set $to (local.get $list))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (i32.store (local.get $to) (local.get $slot))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=0 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=0 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 1)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=16 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=16 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 2)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=32 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=32 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 3)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=48 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=48 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=64 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=64 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 5)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=80 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=80 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 6)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=96 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=96 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (i32.store (local.get $to) (i32.add (local.get $slot) (i32.const 7)))
        (local.set $to (i32.add (local.get $to) (i32.shl (i64.lt_u (i64.add (i64.popcnt (i64.xor (local.get $x) (i64.load offset=112 (local.get $at)))) (i64.popcnt (i64.xor (local.get $y) (i64.load offset=112 (local.get $too))))) (local.get $beyond)) (i32.const 2))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 8)))
        (local.set $too (i32.add (local.get $too) (i32.const 128)))
        (local.set $at (i32.add (local.get $at) (i32.const 128)))
        (br $next)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $list)) (i32.const 2)))

  ;; How many of $count hashes, each $step slots on from $slot, differ in at most $limit bits in words 0 1, 2 3, 0 2, 0 3,
  ;; 1 2, 1 3: six numbers of 32 bits at $out.
  (func (export "sample") (param $slot i32) (param $step i32) (param $count i32) (param $blocks i32) (param $limit i32)
    (param $out i32)
    (local $at i32) (local $n0 i32) (local $n1 i32) (local $n2 i32) (local $n3 i32) (local $n4 i32) (local $n5 i32)
    (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $most i64)
    (local.set $most (i64.extend_i32_u (local.get $limit)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $at (i32.add (local.get $blocks) (i32.add
          (i32.shl (i32.shr_u (local.get $slot) (i32.const 12)) (i32.const 17))
          (i32.shl (i32.and (local.get $slot) (i32.const 4095)) (i32.const 4)))))
        (local.set $a (i64.popcnt (i64.xor (i64.load (i32.const 0)) (i64.load (local.get $at)))))
        (local.set $b (i64.popcnt (i64.xor (i64.load (i32.const 8)) (i64.load offset=8 (local.get $at)))))
        (local.set $c (i64.popcnt (i64.xor (i64.load (i32.const 16)) (i64.load offset=65536 (local.get $at)))))
        (local.set $d (i64.popcnt (i64.xor (i64.load (i32.const 24)) (i64.load offset=65544 (local.get $at)))))
        (local.set $n0 (i32.add (local.get $n0) (i64.le_u (i64.add (local.get $a) (local.get $b)) (local.get $most))))
        (local.set $n1 (i32.add (local.get $n1) (i64.le_u (i64.add (local.get $c) (local.get $d)) (local.get $most))))
        (local.set $n2 (i32.add (local.get $n2) (i64.le_u (i64.add (local.get $a) (local.get $c)) (local.get $most))))
        (local.set $n3 (i32.add (local.get $n3) (i64.le_u (i64.add (local.get $a) (local.get $d)) (local.get $most))))
        (local.set $n4 (i32.add (local.get $n4) (i64.le_u (i64.add (local.get $b) (local.get $c)) (local.get $most))))
        (local.set $n5 (i32.add (local.get $n5) (i64.le_u (i64.add (local.get $b) (local.get $d)) (local.get $most))))
        (local.set $slot (i32.add (local.get $slot) (local.get $step)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store offset=0 (local.get $out) (local.get $n0))
    (i32.store offset=4 (local.get $out) (local.get $n1))
    (i32.store offset=8 (local.get $out) (local.get $n2))
    (i32.store offset=12 (local.get $out) (local.get $n3))
    (i32.store offset=16 (local.get $out) (local.get $n4))
    (i32.store offset=20 (local.get $out) (local.get $n5)))

  ;; All four words of a block's hashes: where two words tell too few apart.
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
