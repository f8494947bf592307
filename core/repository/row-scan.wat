;; The inner loops of the row scanner (row-scan.ts). Assembled into row-scan.wasm; a test holds the two together.
;;
;; Memory, by byte offset:
;;       0  what a byte adds to lane A, times the multiplier to the power of 0, 1, 2, 3: four tables of 256 int32
;;    4096  the same for lane B
;;    8192  int32: multipliers A and B to the power of 4, multipliers A and B, seeds A and B
;;    8256  the state, int32: lanes A and B, sums A and B, rows, bytes of the row at hand, bytes of the chunk at hand,
;;          and of the cutter: min, max, salt, target; last, whether the row at hand is a giant, behind which a chunk always ends
;;   65536  the bytes to scan, up to 64 KiB; up to 16 bytes behind them are read, and ignored
;;  196608  the offsets at which chunks end
(module
  (memory (export "memory") 8)

  ;; Hashes the bytes in which no row ends, and leaves the lanes in the state.
  (func $run (export "run") (param $at i32) (param $end i32)
    (local $a i32) (local $b i32) (local $w i32)
    (local.set $a (i32.load offset=8256 (i32.const 0)))
    (local.set $b (i32.load offset=8260 (i32.const 0)))
    (block $done
      (loop $four
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 4)) (local.get $end)))
        (local.set $w (i32.load (local.get $at)))
        (local.set $a (i32.add
          (i32.add (i32.mul (local.get $a) (i32.load offset=8192 (i32.const 0)))
            (i32.add (i32.load offset=3072 (i32.and (i32.shl (local.get $w) (i32.const 2)) (i32.const 1020)))
                     (i32.load offset=2048 (i32.and (i32.shr_u (local.get $w) (i32.const 6)) (i32.const 1020)))))
          (i32.add (i32.load offset=1024 (i32.and (i32.shr_u (local.get $w) (i32.const 14)) (i32.const 1020)))
                   (i32.load offset=0 (i32.and (i32.shr_u (local.get $w) (i32.const 22)) (i32.const 1020))))))
        (local.set $b (i32.add
          (i32.add (i32.mul (local.get $b) (i32.load offset=8196 (i32.const 0)))
            (i32.add (i32.load offset=7168 (i32.and (i32.shl (local.get $w) (i32.const 2)) (i32.const 1020)))
                     (i32.load offset=6144 (i32.and (i32.shr_u (local.get $w) (i32.const 6)) (i32.const 1020)))))
          (i32.add (i32.load offset=5120 (i32.and (i32.shr_u (local.get $w) (i32.const 14)) (i32.const 1020)))
                   (i32.load offset=4096 (i32.and (i32.shr_u (local.get $w) (i32.const 22)) (i32.const 1020))))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $four)))
    (block $done
      (loop $one
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $w (i32.shl (i32.load8_u (local.get $at)) (i32.const 2)))
        (local.set $a (i32.add (i32.mul (local.get $a) (i32.load offset=8200 (i32.const 0))) (i32.load offset=0 (local.get $w))))
        (local.set $b (i32.add (i32.mul (local.get $b) (i32.load offset=8204 (i32.const 0))) (i32.load offset=4096 (local.get $w))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $one)))
    (i32.store offset=8256 (i32.const 0) (local.get $a))
    (i32.store offset=8260 (i32.const 0) (local.get $b)))

  ;; Where the line that holds `at` ends, behind its newline; 0 when it does not end before `to`.
  (func $lineEnd (param $at i32) (param $to i32) (result i32)
    (local $newlines i32)
    (loop $search
      (local.set $newlines (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 10)))))
      (if (local.get $newlines)
        (then
          (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $newlines))))
          (return (select (i32.add (local.get $at) (i32.const 1)) (i32.const 0) (i32.lt_u (local.get $at) (local.get $to))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $search (i32.lt_u (local.get $at) (local.get $to))))
    (i32.const 0))

  ;; Scans lines from `at` to `to`, and returns how many chunks end among them.
  (func (export "lines") (param $at i32) (param $to i32) (result i32)
    (local $sumA i32) (local $sumB i32) (local $rows i32) (local $giant i32) (local $rowFrom i32) (local $chunkFrom i32)
    (local $end i32) (local $high i32) (local $low i32) (local $rowBytes i32) (local $chunkBytes i32) (local $cut i32)
    (local.set $sumA (i32.load offset=8264 (i32.const 0)))
    (local.set $sumB (i32.load offset=8268 (i32.const 0)))
    (local.set $rows (i32.load offset=8272 (i32.const 0)))
    (local.set $rowFrom (i32.sub (local.get $at) (i32.load offset=8276 (i32.const 0))))
    (local.set $chunkFrom (i32.sub (local.get $at) (i32.load offset=8280 (i32.const 0))))
    (local.set $giant (i32.load offset=8300 (i32.const 0)))
    (local.set $cut (i32.const 196608))
    (block $done
      (loop $row
        (br_if $done (i32.ge_u (local.get $at) (local.get $to)))
        (local.set $end (call $lineEnd (local.get $at) (local.get $to)))
        (call $run (local.get $at) (select (local.get $end) (local.get $to) (local.get $end)))
        (br_if $done (i32.eqz (local.get $end)))
        (local.set $at (local.get $end))
        (local.set $rowBytes (i32.sub (local.get $at) (local.get $rowFrom)))
        (local.set $high (call $mix (i32.add (i32.load offset=8256 (i32.const 0)) (local.get $rowBytes))))
        (local.set $low (call $mix (i32.xor (i32.load offset=8260 (i32.const 0)) (local.get $high))))
        (local.set $sumA (i32.add (local.get $sumA) (local.get $high)))
        (local.set $sumB (i32.add (local.get $sumB) (local.get $low)))
        (local.set $rows (i32.add (local.get $rows) (i32.const 1)))
        (local.set $rowFrom (local.get $at))
        (i32.store offset=8256 (i32.const 0) (i32.load offset=8208 (i32.const 0)))
        (i32.store offset=8260 (i32.const 0) (i32.load offset=8212 (i32.const 0)))
        (local.set $chunkBytes (i32.sub (local.get $at) (local.get $chunkFrom)))
        (if (i32.eqz (local.get $giant))
          (then
            (br_if $row (i32.lt_u (local.get $chunkBytes) (i32.load offset=8284 (i32.const 0))))
            (br_if $row (i32.and
              (i32.lt_u (local.get $chunkBytes) (i32.load offset=8288 (i32.const 0)))
              (i64.ge_u
                (i64.mul
                  (i64.extend_i32_u (i32.mul (i32.xor (local.get $low) (i32.load offset=8292 (i32.const 0))) (i32.const 0x9e3779b1)))
                  (i64.extend_i32_u (i32.load offset=8296 (i32.const 0))))
                (i64.shl (i64.extend_i32_u (local.get $rowBytes)) (i64.const 32)))))))
        (local.set $giant (i32.const 0))
        (local.set $chunkFrom (local.get $at))
        (i32.store (local.get $cut) (local.get $at))
        (local.set $cut (i32.add (local.get $cut) (i32.const 4)))
        (br $row)))
    (i32.store offset=8264 (i32.const 0) (local.get $sumA))
    (i32.store offset=8268 (i32.const 0) (local.get $sumB))
    (i32.store offset=8272 (i32.const 0) (local.get $rows))
    (i32.store offset=8276 (i32.const 0) (i32.sub (local.get $to) (local.get $rowFrom)))
    (i32.store offset=8280 (i32.const 0) (i32.sub (local.get $to) (local.get $chunkFrom)))
    (i32.store offset=8300 (i32.const 0) (local.get $giant))
    (i32.shr_u (i32.sub (local.get $cut) (i32.const 196608)) (i32.const 2)))

  ;; murmur3's 32-bit finalizer.
  (func $mix (param $h i32) (result i32)
    (local.set $h (i32.mul (i32.xor (local.get $h) (i32.shr_u (local.get $h) (i32.const 16))) (i32.const 0x85ebca6b)))
    (local.set $h (i32.mul (i32.xor (local.get $h) (i32.shr_u (local.get $h) (i32.const 13))) (i32.const 0xc2b2ae35)))
    (i32.xor (local.get $h) (i32.shr_u (local.get $h) (i32.const 16)))))
