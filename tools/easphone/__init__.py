# SPDX-License-Identifier: Apache-2.0
"""A scripted ActiveSync phone, for people (the easphone command) and for tests (class Phone)."""
