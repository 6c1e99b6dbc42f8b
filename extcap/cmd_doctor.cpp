// SPDX-License-Identifier: GPL-2.0-or-later
// podshark doctor [--json]: looks at everything a capture depends on and prints one line each, with the
// command that mends it. Exit code 0 when nothing failed, 5 otherwise, 2 for wrong options.
#include <ostream>

#include "extcap/command.h"
#include "extcap/doctor/checks.h"
#include "extcap/doctor/report.h"
#include "extcap/worker_client.h"
#include "podman/core/result.h"

namespace podshark::extcap {

int cmd_doctor(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  bool json = false;
  for (const std::string& arg : args) {
    if (arg == "--json") {
      json = true;
    } else if (arg == "--help" || arg == "-h") {
      out << "usage: podshark doctor [--json]\n"
             "Checks what a capture depends on. Exit code 0: nothing failed, 5: something did.\n";
      return 0;
    } else {
      err << "podshark doctor: unknown option "
          << Error{ErrorKind::usage, arg, "podshark doctor --help"}.line() << '\n';
      return static_cast<int>(ErrorKind::usage);
    }
  }
  const doctor::Findings findings =
      doctor::examine(doctor::collect(find_worker(), find_libexec("podshark-drops")));
  json ? doctor::write_json(findings, out) : doctor::write_text(findings, out);
  return doctor::any_failure(findings) ? static_cast<int>(ErrorKind::permission) : 0;
}

}  // namespace podshark::extcap
