// SPDX-License-Identifier: GPL-2.0-or-later
// One Walk per judgement. A base chain is walked with a stack of return addresses as in the kernel
// (nft_do_chain), so no ruleset can make us recurse; kMaxWork ends what jumps make exponential.
#include "podman/firewall/evaluate.h"

#include <algorithm>
#include <utility>

#include "podman/core/text.h"
#include "podman/firewall/chain_index.h"
#include "podman/firewall/matching.h"
#include "podman/firewall/translate.h"

namespace podshark::firewall {
namespace {

// How one base chain ended.
enum class End { accept, drop, reject, translated };

bool has_effect(const Statement& s) {
  return s.action != Action::nothing;
}

bool tentative(const Chain& base) {
  const bool device = base.hook == Hook::ingress || base.hook == Hook::egress;
  return device && base.devices.empty();
}

bool of_other_link(const Chain& base, const Packet& p) {
  if (base.hook != Hook::ingress && base.hook != Hook::egress) return false;
  const std::string& link = base.hook == Hook::ingress ? p.iif : p.oif;
  return !base.devices.empty() &&
         std::find(base.devices.begin(), base.devices.end(), link) == base.devices.end();
}

class Walk {
 public:
  Walk(const Ruleset& rules, const Packet& packet) : index_(rules) { out_.packet = packet; }

  // False when nothing may follow.
  bool base(const Chain& chain);
  Judgement result() && { return std::move(out_); }

 private:
  struct At {
    const Chain* chain = nullptr;
    std::size_t rule = 0;
  };
  enum class Next { rule, moved, ended };

  End run(const Chain& base);
  End finish_policy(const Chain& base);
  Next rule(const Rule& r);
  Next statement(const Rule& r, const Statement& s);
  Next verdict_map(const Rule& r, const Statement& s);
  Next nat(const Rule& r, const Statement& s);
  Next jump(const Rule& r, const Statement& s);
  Next back();
  Next end(End how, const Rule& r, std::string what);
  void step(const Rule* r, const std::string& what);
  void uncertain(const Rule& r);
  void doubt(const Rule& r, std::size_t matched);
  bool work(std::size_t amount);

  ChainIndex index_;
  Judgement out_;
  std::vector<At> stack_;
  At at_;
  End end_ = End::accept;
  std::size_t work_ = 0;
};

bool Walk::work(std::size_t amount) {
  work_ += amount;
  if (work_ > kMaxWork) out_.complete = false;
  return out_.complete;
}

void Walk::step(const Rule* r, const std::string& what) {
  if (out_.path.size() < kMaxSteps) out_.path.push_back({{at_.chain, r}, one_line(what, kMaxRuleText)});
}

void Walk::uncertain(const Rule& r) {
  const bool known =
      std::any_of(out_.uncertain.begin(), out_.uncertain.end(), [&](const Place& p) { return p.rule == &r; });
  if (known) return;
  if (out_.uncertain.size() < kMaxUncertain) {
    out_.uncertain.push_back({at_.chain, &r});
  } else {
    out_.complete = false;
  }
}

// A rule that may match: its verdict is not taken, but marks that it may have set are not known any more.
void Walk::doubt(const Rule& r, std::size_t matched) {
  for (const Statement& s : r.statements) {
    if (s.after <= matched || !has_effect(s)) continue;
    if (s.action != Action::set_mark && s.action != Action::set_ct_mark) return uncertain(r);
    Mark& mark = s.action == Action::set_mark ? out_.packet.mark : out_.packet.ct_mark;
    Mark changed = mark;
    set_mark(s.mark, changed);
    mark.unknown |= changed.unknown | (mark.value ^ changed.value);
  }
}

Walk::Next Walk::end(End how, const Rule& r, std::string what) {
  step(&r, std::move(what));
  out_.by = {at_.chain, &r};
  end_ = how;
  return Next::ended;
}

// "return", or the end of a chain that was jumped to.
Walk::Next Walk::back() {
  if (stack_.empty()) return Next::ended;
  at_ = stack_.back();
  stack_.pop_back();
  return Next::moved;
}

Walk::Next Walk::jump(const Rule& r, const Statement& s) {
  const Chain* to = index_.find(*at_.chain, s.target);
  if (to == nullptr) {
    uncertain(r);
    return Next::rule;
  }
  if (out_.path.size() < kMaxSteps) step(&r, std::string(to_string(s.action)) + " " + s.target);
  if (s.action == Action::jump) {
    if (stack_.size() >= kMaxJumps) {
      out_.complete = false;
      return Next::ended;
    }
    stack_.push_back({at_.chain, at_.rule + 1});
  }
  at_ = {to, 0};
  return Next::moved;
}

Walk::Next Walk::nat(const Rule& r, const Statement& s) {
  const std::string what = nat_text(s);
  if (!translate(s, out_.packet)) return Next::rule;
  out_.nat = {at_.chain, &r};
  return end(End::translated, r, what);
}

Walk::Next Walk::verdict_map(const Rule& r, const Statement& s) {
  for (std::size_t row = 0; row < s.results.size(); ++row) {
    const Tri fit = row_fits(s.key, row, out_.packet);
    if (fit == Tri::yes) return statement(r, s.results[row]);
    if (fit == Tri::unknown) {
      uncertain(r);
      return Next::rule;
    }
  }
  return Next::rule;
}

Walk::Next Walk::statement(const Rule& r, const Statement& s) {
  if (!s.results.empty()) return work(s.results.size() / 16) ? verdict_map(r, s) : Next::ended;
  switch (s.action) {
    case Action::nothing:
    case Action::verdict_map:
      return Next::rule;
    case Action::accept:
      return end(End::accept, r, "accept");
    case Action::drop:
      return end(End::drop, r, "drop");
    case Action::reject:
      return end(End::reject, r, "reject with " + s.target);
    case Action::queue:  // the program that reads the queue decides
      uncertain(r);
      return end(End::accept, r, "queue");
    case Action::ret:
      step(&r, "return");
      return back();
    case Action::jump:
    case Action::go_to:
      return jump(r, s);
    case Action::notrack:
      out_.packet.ct_state = CtState::untracked;
      step(&r, "notrack");
      return Next::rule;
    case Action::set_mark:
    case Action::set_ct_mark:
      set_mark(s.mark, s.action == Action::set_mark ? out_.packet.mark : out_.packet.ct_mark);
      step(&r, to_string(s.action));
      return Next::rule;
    case Action::dnat:
    case Action::snat:
    case Action::masquerade:
    case Action::redirect:
      return nat(r, s);
    case Action::unknown:
      break;
  }
  uncertain(r);
  return Next::rule;
}

// Matches and statements from left to right, as nft does.
Walk::Next Walk::rule(const Rule& r) {
  std::size_t matched = 0;
  for (const Statement& s : r.statements) {
    for (; matched < std::min(s.after, r.matches.size()); ++matched) {
      if (!work(r.matches[matched].rows() / 16)) return Next::ended;
      const Tri fit = fits(r.matches[matched], out_.packet);
      if (fit == Tri::no) return Next::rule;
      if (fit == Tri::yes) continue;
      // A later match that surely fails settles it.
      for (std::size_t rest = matched + 1; rest < r.matches.size(); ++rest) {
        if (!work(r.matches[rest].rows() / 16)) return Next::ended;
        if (fits(r.matches[rest], out_.packet) == Tri::no) return Next::rule;
      }
      doubt(r, matched);
      return Next::rule;
    }
    const Next next = statement(r, s);
    if (next != Next::rule) return next;
  }
  return Next::rule;
}

End Walk::finish_policy(const Chain& base) {
  at_ = {&base, 0};
  out_.by = {&base, nullptr};
  const bool drop = base.policy == Policy::drop;
  if (drop || !base.rules.empty()) step(nullptr, drop ? "policy drop" : "policy accept");
  return drop ? End::drop : End::accept;
}

End Walk::run(const Chain& base) {
  stack_.clear();
  at_ = {&base, 0};
  for (;;) {
    if (at_.rule >= at_.chain->rules.size()) {
      if (back() == Next::ended) return finish_policy(base);
      continue;
    }
    if (!work(1)) return End::accept;
    const Rule& r = at_.chain->rules[at_.rule];
    out_.by = {};
    const Next next = rule(r);
    if (!out_.complete) return End::accept;
    if (next == Next::ended) return out_.by.chain == nullptr ? finish_policy(base) : end_;
    if (next == Next::rule) ++at_.rule;
  }
}

bool Walk::base(const Chain& chain) {
  const bool nat = chain.type == ChainType::nat;
  if (nat && (out_.packet.ct_state != CtState::fresh || out_.nat.chain != nullptr)) return true;
  if (of_other_link(chain, out_.packet)) return true;
  const Packet before = out_.packet;
  const End how = run(chain);
  if (!out_.complete) return false;
  if (how == End::accept || how == End::translated) return true;
  if (tentative(chain)) {
    // nft 1.0.6 does not tell the links of the chain.
    if (out_.by.rule != nullptr) uncertain(*out_.by.rule);
    out_.packet = before;
    out_.by = {};
    return true;
  }
  out_.outcome = how == End::drop ? Outcome::drop : Outcome::reject;
  return false;
}

}  // namespace

Judgement judge(const Ruleset& rules, Hook hook, const Packet& packet) {
  Walk walk(rules, packet);
  for (const Chain* chain : base_chains(rules, hook, packet.family)) {
    if (!walk.base(*chain)) break;
  }
  return std::move(walk).result();
}

}  // namespace podshark::firewall
