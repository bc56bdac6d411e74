#include "textflag.h"

// What may follow a backslash, u aside, by its two halves: it is legal when the
// table for its low half and the one for its high half share a bit.
//   2x: " /   5x: \   6x: b f n   7x: r t
DATA legalLow<>+0(SB)/8, $0x00040008000d0000
DATA legalLow<>+8(SB)/8, $0x0104000200000000
GLOBL legalLow<>(SB), RODATA|NOPTR, $16
DATA legalHigh<>+0(SB)/8, $0x0804020000010000
DATA legalHigh<>+8(SB)/8, $0x0000000000000000
GLOBL legalHigh<>(SB), RODATA|NOPTR, $16

// What begins a rune of two bytes is this or up to 0x1d more.
DATA firstOfTwo<>+0(SB)/8, $0xc2c2c2c2c2c2c2c2
GLOBL firstOfTwo<>(SB), RODATA|NOPTR, $8

// RUNES takes those of runes of two bytes (R11: beginnings, R12: bytes that go on) off
// the odd ones (R10), unless one is not where the other asks for it.
#define RUNES \
	MOVQ R11, BX; \
	ORQ R12, BX; \
	NOTQ BX; \
	ANDQ BX, R10; \
	LEAQ (R13)(R11*2), BX; \
	SHRQ $63, R11; \
	MOVQ R11, R13; \
	XORQ R12, BX; \
	ORQ BX, R10;

// ESCAPED writes the marks of a block, of its quotes (AX), backslashes (R9), odd bytes
// (R10) and what is no escape of two bytes behind a backslash (R11); bytes are escaped
// behind an odd run of backslashes. R8 says whether the first one is, and then whether
// that of the next block is. A run is added to its own beginning, which carries past its
// end; where that comes out tells whether its length is odd. R15 gets a bit if there is
// any mark. (Langdale, Lemire: Parsing Gigabytes of JSON per Second, 2019, 3.1.1)
#define ESCAPED \
	MOVQ R8, R12; \
	NOTQ R12; \
	ANDQ R12, R9; \
	LEAQ (R8)(R9*2), R12; \
	MOVQ R12, BX; \
	NOTQ BX; \
	ANDQ R9, BX; \
	ANDQ DX, BX; \
	XORQ R8, R8; \
	ADDQ R9, BX; \
	ADCQ $0, R8; \
	SHLQ $1, BX; \
	XORQ DX, BX; \
	NOTQ BX; \
	ANDQ R12, BX; \
	MOVQ BX, R12; \
	NOTQ R12; \
	ANDQ R12, AX; \
	MOVQ AX, (DI); \
	ANDQ R11, BX; \
	ORQ R10, BX; \
	MOVQ BX, 8(DI); \
	ORQ AX, BX; \
	NEGQ BX; \
	RCRQ $1, R15;

// blocks is at least 1.
//
// Every vector instruction here is a VEX one (V...), moves from general registers too:
// an SSE one behind an AVX one costs some 70 cycles on processors that keep the upper
// halves aside, which was more than all the rest for a window.
//
// func markAVX2(out *marks, src *byte, blocks int, carry uint64) (carried, some uint64)
TEXT ·markAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVQ carry+24(FP), R8
	MOVQ R8, R13
	ANDQ $1, R8  // the first byte is escaped
	SHRQ $1, R13 // the first byte is the second one of a rune

	MOVQ           $0x2222222222222222, AX // "
	VMOVQ          AX, X8
	VPBROADCASTQ   X8, Y8
	MOVQ           $0x5c5c5c5c5c5c5c5c, AX // \
	VMOVQ          AX, X9
	VPBROADCASTQ   X9, Y9
	MOVQ           $0x2020202020202020, AX // control bytes are less, and with signs all above 0x7f
	VMOVQ          AX, X10
	VPBROADCASTQ   X10, Y10
	MOVQ           $0x0f0f0f0f0f0f0f0f, AX
	VMOVQ          AX, X11
	VPBROADCASTQ   X11, Y11
	VBROADCASTI128 legalLow<>(SB), Y12
	VBROADCASTI128 legalHigh<>(SB), Y13
	MOVQ           $0x1d1d1d1d1d1d1d1d, AX // how many more begin one of two bytes
	VMOVQ          AX, X7
	VPBROADCASTQ   X7, Y7
	MOVQ           $0xc0c0c0c0c0c0c0c0, AX // 0x80 to 0xbf, which go on with one, are less, with signs
	VMOVQ          AX, X15
	VPBROADCASTQ   X15, Y15
	MOVQ           $0xaaaaaaaaaaaaaaaa, DX // odd places
	XORQ           R15, R15                 // blocks with any mark, from the top

loop:
	PREFETCHT1 4096(SI) // the next page, which the processor does not see coming; beyond the document it does nothing
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1

	// Most blocks of a text have no byte that is any of this.
	VPCMPEQB  Y8, Y0, Y2
	VPCMPEQB  Y8, Y1, Y3
	VPCMPEQB  Y9, Y0, Y4
	VPCMPEQB  Y9, Y1, Y5
	VPCMPGTB  Y0, Y10, Y14
	VPCMPGTB  Y1, Y10, Y6
	VPOR      Y6, Y14, Y14
	VPOR      Y2, Y3, Y6
	VPOR      Y6, Y14, Y14
	VPOR      Y4, Y5, Y6
	VPOR      Y6, Y14, Y14
	VPMOVMSKB Y14, BX
	ORQ       R8, BX
	ORQ       R13, BX
	JZ        plain

	// AX: quotes
	VPMOVMSKB Y2, AX
	VPMOVMSKB Y3, BX
	SHLQ      $32, BX
	ORQ       BX, AX

	// R9: backslashes
	VPMOVMSKB Y4, R9
	VPMOVMSKB Y5, BX
	SHLQ      $32, BX
	ORQ       BX, R9

	// R10: bytes above 0x7f or below 0x20
	VPCMPGTB  Y0, Y10, Y2
	VPCMPGTB  Y1, Y10, Y3
	VPMOVMSKB Y2, R10
	VPMOVMSKB Y3, BX
	SHLQ      $32, BX
	ORQ       BX, R10

	// R11: beginnings of runes of two bytes; R12: bytes that go on with a rune
	VPBROADCASTQ firstOfTwo<>(SB), Y6
	VPSUBB    Y6, Y0, Y2
	VPSUBB    Y6, Y1, Y3
	VPMINUB   Y7, Y2, Y4
	VPMINUB   Y7, Y3, Y5
	VPCMPEQB  Y2, Y4, Y2
	VPCMPEQB  Y3, Y5, Y3
	VPMOVMSKB Y2, R11
	VPMOVMSKB Y3, BX
	SHLQ      $32, BX
	ORQ       BX, R11
	VPCMPGTB  Y0, Y15, Y4
	VPCMPGTB  Y1, Y15, Y5
	VPMOVMSKB Y4, R12
	VPMOVMSKB Y5, BX
	SHLQ      $32, BX
	ORQ       BX, R12

	RUNES

	// R11: bytes that are no escape of two bytes behind a backslash
	VPSRLW    $4, Y0, Y2
	VPSRLW    $4, Y1, Y3
	VPAND     Y11, Y2, Y2
	VPAND     Y11, Y3, Y3
	VPSHUFB   Y2, Y13, Y2
	VPSHUFB   Y3, Y13, Y3
	VPSHUFB   Y0, Y12, Y4
	VPSHUFB   Y1, Y12, Y5
	VPAND     Y4, Y2, Y2
	VPAND     Y5, Y3, Y3
	VPXOR     Y14, Y14, Y14
	VPCMPEQB  Y14, Y2, Y2
	VPCMPEQB  Y14, Y3, Y3
	VPMOVMSKB Y2, R11
	VPMOVMSKB Y3, BX
	SHLQ      $32, BX
	ORQ       BX, R11

	ESCAPED
	ADDQ $64, SI
	ADDQ $16, DI
	DECQ CX
	JNZ  loop
	JMP  done

plain:
	MOVQ BX, (DI) // which is zero
	MOVQ BX, 8(DI)
	SHRQ $1, R15
	ADDQ $64, SI
	ADDQ $16, DI
	DECQ CX
	JNZ  loop

done:
	VZEROUPPER
	LEAQ (R8)(R13*2), R8
	MOVQ R8, carried+32(FP)
	MOVQ R15, some+40(FP)
	RET

// markAVX2 with 64 bytes in one register, where comparing gives the bits at once.
//
// func markAVX512(out *marks, src *byte, blocks int, carry uint64) (carried, some uint64)
TEXT ·markAVX512(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVQ carry+24(FP), R8
	MOVQ R8, R13
	ANDQ $1, R8  // the first byte is escaped
	SHRQ $1, R13 // the first byte is the second one of a rune

	MOVQ             $0x2222222222222222, AX // "
	VPBROADCASTQ     AX, Z8
	MOVQ             $0x5c5c5c5c5c5c5c5c, AX // \
	VPBROADCASTQ     AX, Z9
	MOVQ             $0x2020202020202020, AX // control bytes are less, and with signs all above 0x7f
	VPBROADCASTQ     AX, Z10
	MOVQ             $0x0f0f0f0f0f0f0f0f, AX
	VPBROADCASTQ     AX, Z11
	VBROADCASTI32X4  legalLow<>(SB), Z12
	VBROADCASTI32X4  legalHigh<>(SB), Z13
	MOVQ             $0x1d1d1d1d1d1d1d1d, AX // how many more begin one of two bytes
	VPBROADCASTQ     AX, Z7
	MOVQ             $0xc0c0c0c0c0c0c0c0, AX // 0x80 to 0xbf, which go on with one, are less, with signs
	VPBROADCASTQ     AX, Z15
	MOVQ             $0xc2c2c2c2c2c2c2c2, AX // what begins a rune of two bytes is this or up to 0x1d more
	VPBROADCASTQ     AX, Z6
	MOVQ             $0xaaaaaaaaaaaaaaaa, DX // odd places
	XORQ             R15, R15                // blocks with any mark, from the top

wide:
	PREFETCHT1 4096(SI)
	VMOVDQU64  (SI), Z0
	VPCMPEQB   Z8, Z0, K1
	VPCMPEQB   Z9, Z0, K2
	VPCMPB     $1, Z10, Z0, K3 // less
	KORQ       K1, K2, K4
	KORQ       K3, K4, K4
	KMOVQ      K4, BX
	ORQ        R8, BX
	ORQ        R13, BX
	JZ         nothing

	KMOVQ K1, AX  // quotes
	KMOVQ K2, R9  // backslashes
	KMOVQ K3, R10 // bytes above 0x7f or below 0x20

	// R11: beginnings of runes of two bytes; R12: bytes that go on with a rune
	VPSUBB  Z6, Z0, Z2
	VPCMPUB $2, Z7, Z2, K1 // not more
	VPCMPB  $1, Z15, Z0, K4
	KMOVQ   K1, R11
	KMOVQ   K4, R12

	RUNES

	// R11: bytes that are no escape of two bytes behind a backslash
	VPSRLW    $4, Z0, Z2
	VPANDQ    Z11, Z2, Z2
	VPSHUFB   Z2, Z13, Z2
	VPSHUFB   Z0, Z12, Z4
	VPTESTNMB Z4, Z2, K1
	KMOVQ     K1, R11

	ESCAPED
	ADDQ $64, SI
	ADDQ $16, DI
	DECQ CX
	JNZ  wide
	JMP  marked

nothing:
	MOVQ BX, (DI) // which is zero
	MOVQ BX, 8(DI)
	SHRQ $1, R15
	ADDQ $64, SI
	ADDQ $16, DI
	DECQ CX
	JNZ  wide

marked:
	VZEROUPPER
	LEAQ (R8)(R13*2), R8
	MOVQ R8, carried+32(FP)
	MOVQ R15, some+40(FP)
	RET
