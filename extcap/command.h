// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <span>
#include <string>

#include "podman/model/inventory.h"

namespace podshark::extcap {

/// One `podshark VERB`. `args` are the words after the verb. Returns the exit code (ErrorKind's values, 0
/// ok); a failure has then been told on `err` in one line. Results go to `out`.
struct Command {
  const char* name;
  const char* summary;  ///< one line for --help
  int (*run)(std::span<const std::string> args, std::ostream& out, std::ostream& err);
  bool there = false;  ///< with --host H it is run on that machine
};

int cmd_list(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_capture(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_top(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_inventory(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_annotate(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_check(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_probe(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_trace(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_listen(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_hosts(std::span<const std::string> args, std::ostream& out, std::ostream& err);
int cmd_doctor(std::span<const std::string> args, std::ostream& out, std::ostream& err);

/// What runs on a machine without podshark: all that is known of it.
struct Elsewhere {
  std::string host;  ///< for people
  uid_t caller = 0;  ///< who we are there
  model::Inventory inventory;
};
/// The commands that can say something about that all the same.
int list_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                   std::ostream& err);
int inventory_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                        std::ostream& err);
int check_elsewhere(std::span<const std::string> args, const Elsewhere& there, std::ostream& out,
                    std::ostream& err);

}  // namespace podshark::extcap
