# SPDX-License-Identifier: Apache-2.0
#
# Flags that keep ctinit small, in the file and in memory. It is the one process that every container
# has too many. What they leave: one read-only executable segment, one page of data.
#
#   noseparate-code  no padding to a page between headers, code and constants: fewer pages touched
#   norelro          a static program at fixed addresses has nothing to relocate, while the section
#                    for it would spread the data over two pages
CTINIT_CFLAGS += -fstack-protector-strong
CTINIT_LDFLAGS += -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--build-id=none
