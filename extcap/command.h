// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <span>
#include <string>

#include "podman/model/inventory.h"

namespace cxxopts {
class Options;
}

namespace podshark::extcap {

/// One `podshark VERB`. `args` are the words after the verb. Returns the exit code (ErrorKind's values, 0
/// ok); a failure has then been told on `err` in one line. Results go to `out`.
struct Command {
  const char* name;
  const char* summary;  ///< one line for --help
  int (*run)(std::span<const std::string> args, std::ostream& out, std::ostream& err);
  /// What --help, the manual page and the completions are made of. An argument named a|b is one of these
  /// words; FILE, OUT, CONTAINER, WHERE and WHO tell what completes it, as does the first word of the usage.
  cxxopts::Options (*options)();
  bool there = false;     ///< with --host H it is run on that machine; its table has add_host()
  const char* more = "";  ///< what --help prints after the options
};

/// All of them, in the order of --help.
std::span<const Command> commands();

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

cxxopts::Options list_options();
cxxopts::Options capture_options();
cxxopts::Options top_options();
cxxopts::Options inventory_options();
cxxopts::Options annotate_options();
cxxopts::Options check_options();
cxxopts::Options probe_options();
cxxopts::Options trace_options();
cxxopts::Options listen_options();
cxxopts::Options hosts_options();
cxxopts::Options doctor_options();

/// --host, for the tables of those that have it. It is only told here: remote::take_host() takes it out
/// before the command sees its words.
void add_host(cxxopts::Options& table);

extern const char* const kCaptureMore;
extern const char* const kTopMore;
extern const char* const kCheckMore;
extern const char* const kProbeMore;
extern const char* const kTraceMore;

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
