// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what programs on other machines say, and those that reach them: the survey, clocks,
// listings, ssh's and kubectl's complaints, ssh's configuration. The first byte of the input chooses.
#include "extcap/kube/kubectl.h"
#include "extcap/kube/probe.h"
#include "extcap/probe/outside.h"
#include "extcap/remote/clock_watch.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/host_listing.h"
#include "extcap/remote/sharing.h"
#include "extcap/remote/survey.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using namespace podshark::extcap;
using fuzz::clean;
using fuzz::require;

const remote::FarHost kHost{"ssh://server", "server"};

void survey(const std::string& text) {
  const Result<remote::FarFacts> facts = remote::read_survey(kHost, text, /* all= */ true);
  if (!facts) return clean(facts.error());
  clean(facts->machine);
  clean(facts->carrier);
  for (const model::Problem& p : facts->inventory.problems) clean(one_line(p.what, 1000));
  fuzz::usable(facts->inventory);
  // What the interface list will show of it, kept and read again.
  const auto containers = remote::far_containers(facts->inventory);
  const auto again = remote::decode_listing(remote::encode_listing(containers));
  require(again && again->size() == containers.size());
}

void listing(std::string_view text) {
  const auto containers = remote::decode_listing(text);
  if (!containers) return;
  for (const remote::FarContainer& c : *containers) {
    const std::string value = far_interface_value(kHost.name, c.name);
    require(value.size() < kMaxInterfaceName);
    fuzz::one_sentence(value, one_line(c.display, 110) + " on server");
  }
}

void complaints(const std::string& text) {
  clean(remote::ssh_error(kHost, text));
  (void)remote::refused_for_now(remote::ssh_error(kHost, text));
  clean(kube::kubectl_error({"staging"}, text));
  clean(one_line(kube::forward_failure(text).words, 1000));
  (void)probing::far_error(text);
  (void)remote::shares_already(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 4) {
    case 0:
      survey(std::string(input.rest()));
      break;
    case 1:
      listing(input.rest());
      break;
    case 2:
      complaints(std::string(input.rest()));
      break;
    default:
      if (const auto time = remote::read_clock(input.rest())) require(*time >= 0);
  }
  return 0;
}
