/* What compilers call where a function takes more than a page of stack: Windows
 * makes the stack larger when the page behind it is touched, and no other. In
 * x15 are the bytes, divided by 16. Besides x16 and x17 all registers stay as they
 * are, and the caller moves sp itself. */
__asm__(".text\n"
        ".globl __chkstk\n"
        ".p2align 2\n"
        "__chkstk:\n"
        "    mov x17, sp\n"
        "    lsl x16, x15, #4\n"
        "1:  sub x17, x17, #4096\n"
        "    ldr xzr, [x17]\n"
        "    subs x16, x16, #4096\n"
        "    b.gt 1b\n"
        "    ret\n");
