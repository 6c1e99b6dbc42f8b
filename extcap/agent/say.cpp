// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/say.h"

#include <unistd.h>

namespace podshark::agent {

void say(const Line& what, const char* why) {
  Line line;
  line.add("podshark-agent: ").add(what.text().data, what.text().size);
  if (why != nullptr) line.add(": ").add(why);
  line.add("\n");
  (void)!write(STDERR_FILENO, line.text().data, line.text().size);
}

void say(const char* what, const char* why) {
  Line line;
  say(line.add(what), why);
}

}  // namespace podshark::agent
