// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace podshark::worker {

/// System calls of the whole worker: entering namespaces, making sockets, passing them. Everything else fails
/// with EPERM from here on, in this process and its children. Needs no_new_privs.
void restrict_to_serving();

/// System calls of podshark-drops once its BPF program is attached: being told what to watch.
void restrict_to_watching();

/// System calls of podshark-agent once it has entered its targets: sockets and their rings, reading and
/// writing.
void restrict_to_capturing();

/// What is left after the last privileged step: answer and exit.
void restrict_to_answering();

}  // namespace podshark::worker
