// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace podshark::worker {

/// The installed worker: capabilities of a user who is not root, which are the file's and not his own.
bool has_borrowed_privilege();

/// Makes the permitted capabilities named here (linux/capability.h numbers, -1 unused) effective and no
/// others. Capabilities that are not permitted are left out silently: the kernel then refuses the call
/// itself.
void raise_only(int capability, int second = -1);

/// Drops every capability but this one for good; it stays effective where it was permitted.
void keep_only(int capability);

/// Drops every capability for good, permitted ones included.
void drop_all();

}  // namespace podshark::worker
