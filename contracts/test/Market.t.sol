// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Market} from "../src/Market.sol";
import {GoodToken} from "./Helpers.sol";

/// @dev What forge offers, as far as it is used here.
interface Vm {
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function warp(uint256 time) external;
    function deal(address who, uint256 balance) external;
    function readFile(string calldata path) external view returns (string memory);
    function parseBytes(string calldata hex_) external pure returns (bytes memory);
    function replace(string calldata text, string calldata from, string calldata to) external pure returns (string memory);
}

/// @dev What has to hold, each found out by who can: the handler as it goes, or whoever looks at what is there.
enum Rule {
    ClaimedOnlyGrowsInAnEpoch,
    NobodyReceivesMoreThanWasSigned,
    OnlyTheFunderIsRefunded,
    RefundIsReachableWithoutTheProvider,
    NoEntryChangesAnother,
    OnlyWhoMayClosesAChannel
}

/// @notice Does to a market whatever chance says, as a few people, and keeps account of what was signed and paid.
contract Handler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Market public immutable market;
    GoodToken public immutable token; // zero: the chain's own currency
    uint256 public constant PEOPLE = 3; // of each kind
    bytes32[] private ids;
    mapping(uint256 => address) private addressOf; // of private keys
    mapping(bytes32 => uint256) public providerOf; // private keys
    mapping(bytes32 => uint256) public keyOf;
    mapping(bytes32 => uint256) public funderOf;
    mapping(bytes32 => mapping(uint24 => uint256)) public signed; // the most that was ever signed, of a channel and epoch
    mapping(bytes32 => uint24) private seenEpoch; // of each channel, when it was last looked at
    mapping(bytes32 => uint96) private seenClaimed;
    mapping(address => uint256) private due; // to funders: change and refunds that were not withdrawn
    mapping(address => uint256) public received; // by providers, from the contract and as balance
    mapping(address => uint256) public owed; // at most, to providers
    uint256 public forced; // native money nobody owes
    uint256 public time = 1_800_000_000;
    mapping(Rule => string) public broken; // how a rule did not hold

    constructor(Market market_, GoodToken token_) {
        (market, token) = (market_, token_);
        vm.warp(time);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            addressOf[_provider(i)] = vm.addr(_provider(i));
            addressOf[_session(i)] = vm.addr(_session(i));
            addressOf[_funder(i)] = vm.addr(_funder(i));
        }
        for (uint256 i = 0; i < PEOPLE; ++i) {
            _fund(_addr(_funder(i)));
            vm.prank(_addr(_provider(i)));
            market.register(_addr(_provider(i)), 10, "", 0);
            for (uint256 j = 0; j < PEOPLE; ++j) {
                (uint256 p, uint256 k, uint256 f) = (_provider(i), _session(j), _funder((i + j) % PEOPLE));
                bytes32 id = keccak256(abi.encode(_addr(p), _addr(k), _addr(f)));
                ids.push(id);
                (providerOf[id], keyOf[id], funderOf[id]) = (p, k, f);
            }
        }
    }

    /// @dev Within an epoch claimed only grows, whatever is called, and an epoch is followed by the next.
    modifier watched() {
        _;
        for (uint256 i = 0; i < ids.length; ++i) {
            Market.ChannelView memory c = market.channel(ids[i]);
            (uint24 epoch, uint96 claimed) = (seenEpoch[ids[i]], seenClaimed[ids[i]]);
            if (c.epoch == epoch ? c.claimed < claimed : c.epoch != epoch + 1 || c.claimed != 0) {
                broken[Rule.ClaimedOnlyGrowsInAnEpoch] = "claimed shrank within an epoch, or an epoch did not begin with nothing";
            }
            (seenEpoch[ids[i]], seenClaimed[ids[i]]) = (c.epoch, c.claimed);
        }
    }

    /// @dev Computed once for each key: it is most of the work otherwise.
    function _addr(uint256 privateKey) private view returns (address) {
        return addressOf[privateKey];
    }

    function _provider(uint256 i) private pure returns (uint256) {
        return 1 + i % PEOPLE;
    }

    function _session(uint256 i) private pure returns (uint256) {
        return 11 + i % PEOPLE;
    }

    function _funder(uint256 i) private pure returns (uint256) {
        return 21 + i % PEOPLE;
    }

    function _fund(address who) private {
        vm.deal(who, type(uint128).max);
        if (address(token) == address(0)) return;
        token.mint(who, type(uint128).max);
        vm.prank(who);
        token.approve(address(market), type(uint256).max);
    }

    function _value(uint256 amount) private view returns (uint256) {
        return address(token) == address(0) ? amount : 0;
    }

    function _id(uint256 seed) private view returns (bytes32) {
        return ids[seed % ids.length];
    }

    function buy(uint256 seed, uint96 amount, uint96 change, uint96 maxPrice) external watched {
        bytes32 id = _id(seed);
        amount %= 1e24;
        uint256 value = _value(uint256(amount) + change % 1000);
        uint256 back = value == 0 ? 0 : value - amount;
        (address p, address k, address f) = (_addr(providerOf[id]), _addr(keyOf[id]), _addr(funderOf[id]));
        vm.prank(f);
        try market.buy{value: value}(p, k, amount, maxPrice % 30) {
            due[f] += back;
        } catch {}
    }

    function topUp(uint256 seed, uint256 who, uint96 amount) external watched {
        amount %= 1e24;
        vm.prank(_addr(_funder(who)));
        try market.topUp{value: _value(amount)}(_id(seed), amount) {} catch {}
    }

    function update(uint256 who, uint96 price, uint8 what) external watched {
        address p = _addr(_provider(who));
        vm.prank(p);
        if (what % 8 == 0) {
            try market.exit() {} catch {}
        } else if (what % 8 == 1) {
            try market.register(p, 1 + price % 20, "x", 0) {} catch {}
        } else {
            try market.update(p, 1 + price % 20, "y", 0) {} catch {}
        }
    }

    function requestClose(uint256 seed, uint256 who) external watched {
        bytes32 id = _id(seed);
        vm.prank(_addr(_funder(who)));
        try market.requestClose(id) {
            if (_funder(who) != funderOf[id]) broken[Rule.OnlyWhoMayClosesAChannel] = "closed by who is not the funder";
        } catch {}
    }

    function requestCloseFor(uint256 seed, uint256 key, uint8 stale) external watched {
        bytes32 id = _id(seed);
        uint24 epoch = market.channel(id).epoch;
        if (stale % 8 == 0 && epoch > 0) epoch -= 1;
        uint256 signer = key % 4 == 0 ? _session(key) : funderOf[id];
        (bytes32 r, bytes32 vs) =
            _sign(signer, keccak256(abi.encode(keccak256("Close(bytes32 channelId,uint24 epoch,uint64 deadline)"), id, epoch, uint64(time))));
        try market.requestCloseFor(id, epoch, uint64(time), r, vs) {
            if (signer != funderOf[id]) broken[Rule.OnlyWhoMayClosesAChannel] = "closed by somebody else's signature";
            if (epoch != market.channel(id).epoch) broken[Rule.OnlyWhoMayClosesAChannel] = "closed by a signature of another epoch";
        } catch {}
    }

    function cancelClose(uint256 seed, uint256 who) external watched {
        vm.prank(_addr(_funder(who)));
        try market.cancelClose(_id(seed)) {} catch {}
    }

    function pass(uint256 for_) external {
        time += for_ % 30 hours;
        vm.warp(time);
    }

    function refund(uint256 seed) external watched {
        bytes32 id = _id(seed);
        Market.ChannelView memory c = market.channel(id);
        try market.refund(id) {
            due[_addr(funderOf[id])] += c.deposited - c.claimed;
            if (c.closeAt == 0 || time < c.closeAt) broken[Rule.OnlyWhoMayClosesAChannel] = "refunded too early";
        } catch {
            if (c.closeAt != 0 && time >= c.closeAt) {
                broken[Rule.RefundIsReachableWithoutTheProvider] = "a refund was refused after the dispute time";
            }
        }
    }

    function cooperativeClose(uint256 seed, uint96 amount, uint256 signer, uint8 stale) external watched {
        bytes32 id = _id(seed);
        Market.ChannelView memory c = market.channel(id);
        uint96 end = c.deposited == 0 ? amount % 3 : amount % (c.deposited + 2);
        uint24 epoch = stale % 8 == 0 && c.epoch > 0 ? c.epoch - 1 : c.epoch;
        uint256 key = signer % 4 == 0 ? _session(signer) : providerOf[id];
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Release(bytes32 channelId,uint24 epoch,uint96 finalCumulative,uint64 deadline)"), id, epoch, end, uint64(time)
            )
        );
        (bytes32 r, bytes32 vs) = _sign(key, hash);
        vm.prank(_addr(funderOf[id]));
        try market.cooperativeClose(id, epoch, end, uint64(time), r, vs) {
            due[_addr(funderOf[id])] += c.deposited - end;
            if (key != providerOf[id] || epoch != c.epoch) {
                broken[Rule.OnlyWhoMayClosesAChannel] = "closed without the provider's consent";
            }
            if (end < c.claimed || end > c.deposited) broken[Rule.OnlyWhoMayClosesAChannel] = "closed at an amount that cannot be";
            if (end > signed[id][epoch]) owed[_addr(providerOf[id])] += end - signed[id][epoch];
            if (end > signed[id][epoch]) signed[id][epoch] = end;
        } catch {}
    }

    /// @notice Claims a batch of vouchers, good and bad: each channel has what its own good ones say.
    function claim(uint256[4] calldata seeds, uint96[4] calldata amounts, uint8[4] calldata faults) external watched {
        Market.Entry[] memory entries = new Market.Entry[](4);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _id(seeds[i]);
            Market.ChannelView memory c = market.channel(id);
            Market.Entry memory e = entries[i];
            (e.channelId, e.epoch, e.transcript) = (id, c.epoch, bytes32(seeds[i]));
            e.cumulative = c.deposited == 0 ? amounts[i] % 5 : amounts[i] % (c.deposited + c.deposited / 8 + 2);
            uint256 key = keyOf[id];
            if (faults[i] % 8 == 0) key = _funder(seeds[i]);
            if (faults[i] % 8 == 1 && e.epoch > 0) e.epoch -= 1;
            bytes32 hash = keccak256(
                abi.encode(
                    keccak256("Voucher(bytes32 channelId,uint24 epoch,uint96 cumulative,bytes32 transcript)"), id, e.epoch, e.cumulative, e.transcript
                )
            );
            (e.r, e.vs) = _sign(key, hash);
            if (faults[i] % 8 == 2) e.r = bytes32(uint256(e.r) ^ 1);
            else if (key == keyOf[id] && e.cumulative > signed[id][e.epoch]) {
                owed[_addr(providerOf[id])] += e.cumulative - signed[id][e.epoch];
                signed[id][e.epoch] = e.cumulative;
            }
        }
        uint256[9] memory want; // claimed after it, entry by entry
        for (uint256 i = 0; i < 9; ++i) {
            want[i] = market.channel(ids[i]).claimed;
        }
        for (uint256 i = 0; i < 4; ++i) {
            Market.Entry memory e = entries[i];
            Market.ChannelView memory c = market.channel(e.channelId);
            bool good = faults[i] % 8 != 2 && (faults[i] % 8 != 0) && e.epoch == c.epoch && c.funder != address(0);
            uint256 end = e.cumulative < c.deposited ? e.cumulative : c.deposited;
            for (uint256 j = 0; j < 9; ++j) {
                if (good && ids[j] == e.channelId && end > want[j]) want[j] = end;
            }
        }
        market.claim(entries, 0);
        for (uint256 i = 0; i < 9; ++i) {
            Market.ChannelView memory c = market.channel(ids[i]);
            if (c.claimed != want[i]) broken[Rule.NoEntryChangesAnother] = "a claim is not what its good vouchers say";
            if (c.claimed > signed[ids[i]][c.epoch]) {
                broken[Rule.NobodyReceivesMoreThanWasSigned] = "more was claimed than was signed";
            }
        }
    }

    function withdraw(uint256 who, bool funder) external watched {
        address a = _addr(funder ? _funder(who) : _provider(who));
        uint256 amount = market.balanceOf(a);
        vm.prank(a);
        try market.withdraw(address(0)) {
            if (funder) due[a] -= amount;
            else received[a] += amount;
        } catch {
            if (amount != 0) broken[Rule.OnlyTheFunderIsRefunded] = "a withdrawal was refused";
        }
    }

    function bond(uint256 who, uint96 amount, uint32 for_) external {
        address a = _addr(_provider(who));
        vm.deal(a, amount);
        vm.prank(a);
        try market.bond{value: amount}(uint64(time + for_ % 100 hours)) {} catch {}
    }

    function unbond(uint256 who) external {
        vm.prank(_addr(_provider(who)));
        try market.unbond() {} catch {}
    }

    function force(uint64 amount) external {
        vm.deal(address(market), address(market).balance + amount);
        forced += amount;
    }

    function _sign(uint256 key, bytes32 structHash) private view returns (bytes32 r, bytes32 vs) {
        (uint8 v, bytes32 r_, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", market.domainSeparator(), structHash)));
        return (r_, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    /// @return those that may be bought
    function channels() external view returns (bytes32[] memory) {
        return ids;
    }

    /// @return open what channels hold
    /// @return balances what can be withdrawn
    /// @return bonds what is at stake
    function debts() external view returns (uint256 open, uint256 balances, uint256 bonds) {
        for (uint256 i = 0; i < ids.length; ++i) {
            Market.ChannelView memory c = market.channel(ids[i]);
            open += c.deposited - c.claimed;
        }
        for (uint256 i = 0; i < PEOPLE; ++i) {
            balances += market.balanceOf(_addr(_provider(i))) + market.balanceOf(_addr(_funder(i)));
            bonds += market.provider(_addr(_provider(i))).bond;
        }
    }

    /// @notice What funders have is their change, and what was left in their own channels.
    function refundsFit() external view returns (bool) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            address a = _addr(_funder(i));
            if (market.balanceOf(a) != due[a]) return false;
        }
        return true;
    }

    /// @notice No provider has more than was signed for it.
    function overpaid() external view returns (bool) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            address a = _addr(_provider(i));
            if (received[a] + market.balanceOf(a) > owed[a]) return true;
        }
        return false;
    }
}

/// @notice What has to hold whatever is done, of the bytecode that is committed.
abstract contract Invariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Handler internal handler;
    Market internal market;

    function deploy(address asset) internal {
        string memory hex_ = vm.replace(vm.readFile("market/Market.bin"), "\n", "");
        bytes memory code = bytes.concat(vm.parseBytes(string.concat("0x", hex_)), abi.encode(asset));
        address at;
        assembly ("memory-safe") {
            at := create(0, add(code, 0x20), mload(code))
        }
        require(at != address(0), "the market was not deployed");
        market = Market(at);
        handler = new Handler(market, GoodToken(asset));
    }

    function targetContracts() external view returns (address[] memory all) {
        all = new address[](1);
        all[0] = address(handler);
    }

    /// @dev How everybodyLeaves ends: what it did is undone.
    error Left(bool all);

    /// @notice Has every funder leave now: he asks, waits a day, and anybody brings him what is left. No provider does anything.
    /// Ends with Left: whether each of them had it all.
    function everybodyLeaves() external {
        bytes32[] memory ids = handler.channels();
        uint256 time = handler.time();
        bool all = true;
        for (uint256 i = 0; i < ids.length; ++i) {
            Market.ChannelView memory c = market.channel(ids[i]);
            if (c.funder == address(0)) continue;
            vm.prank(c.funder);
            market.requestClose(ids[i]); // no effect where it was asked for before
            all = all && market.channel(ids[i]).closeAt <= time + 24 hours;
        }
        vm.warp(time + 24 hours);
        for (uint256 i = 0; i < ids.length && all; ++i) {
            Market.ChannelView memory c = market.channel(ids[i]);
            if (c.funder == address(0)) continue;
            uint256 before = market.balanceOf(c.funder);
            market.refund(ids[i]);
            all = market.balanceOf(c.funder) - before == c.deposited - c.claimed;
        }
        vm.warp(time);
        revert Left(all);
    }

    function _unbroken(Rule rule) private view {
        string memory how = handler.broken(rule);
        require(bytes(how).length == 0, how);
    }

    // The rules, as contract.md and money.md have them.

    function heldIsOwed() internal view virtual;

    function claimedOnlyGrowsInAnEpoch() internal view {
        _unbroken(Rule.ClaimedOnlyGrowsInAnEpoch);
    }

    function nobodyReceivesMoreThanWasSigned() internal view {
        _unbroken(Rule.NobodyReceivesMoreThanWasSigned);
        require(!handler.overpaid(), "a provider has more than was signed for it");
    }

    function onlyTheFunderIsRefunded() internal view {
        _unbroken(Rule.OnlyTheFunderIsRefunded);
        require(handler.refundsFit(), "a funder has something else than his change and what was left in his channels");
    }

    function refundIsReachableWithoutTheProvider() internal {
        _unbroken(Rule.RefundIsReachableWithoutTheProvider);
        try this.everybodyLeaves() {
            revert("who left was not told of it");
        } catch (bytes memory how) {
            require(keccak256(how) == keccak256(abi.encodeWithSelector(Left.selector, true)), "who left did not get what was left");
        }
    }

    function noEntryChangesAnother() internal view {
        _unbroken(Rule.NoEntryChangesAnother);
    }

    function onlyWhoMayClosesAChannel() internal view {
        _unbroken(Rule.OnlyWhoMayClosesAChannel);
    }

    /// @notice After each of many calls, in long runs. forge runs all of it anew for each function of this kind, so there is one.
    function invariant_EveryRuleHolds() external {
        heldIsOwed();
        claimedOnlyGrowsInAnEpoch();
        nobodyReceivesMoreThanWasSigned();
        onlyTheFunderIsRefunded();
        noEntryChangesAnother();
        onlyWhoMayClosesAChannel();
    }

    /// @notice At the end of each of those runs: it takes as long as all the others together.
    function afterInvariant() external {
        refundIsReachableWithoutTheProvider();
    }

    // Each rule by its name, after short runs of its own.

    function testFuzz_HeldIsOwed(uint256 seed) external {
        play(seed, 1);
        heldIsOwed();
    }

    function testFuzz_ClaimedOnlyGrowsInAnEpoch(uint256 seed) external {
        play(seed, 2);
        claimedOnlyGrowsInAnEpoch();
    }

    function testFuzz_NobodyReceivesMoreThanWasSigned(uint256 seed) external {
        play(seed, 3);
        nobodyReceivesMoreThanWasSigned();
    }

    function testFuzz_OnlyTheFunderIsRefunded(uint256 seed) external {
        play(seed, 4);
        onlyTheFunderIsRefunded();
    }

    function testFuzz_RefundIsReachableWithoutTheProvider(uint256 seed) external {
        play(seed, 5);
        refundIsReachableWithoutTheProvider();
    }

    function testFuzz_NoEntryChangesAnother(uint256 seed) external {
        play(seed, 6);
        noEntryChangesAnother();
    }

    function testFuzz_OnlyWhoMayClosesAChannel(uint256 seed) external {
        play(seed, 7);
        onlyWhoMayClosesAChannel();
    }

    /// @dev So many calls. Purchases, claims and refunds are a good part of them.
    uint256 private constant CALLS = 40;

    function play(uint256 seed, uint256 rule) private {
        for (uint256 i = 0; i < CALLS; ++i) {
            uint256 a = uint256(keccak256(abi.encode(seed, rule, i)));
            uint256 b = a >> 64;
            uint256 c = a >> 128;
            uint256 what = (a >> 192) % 16;
            if (what < 3) handler.buy(a, uint96(b), uint96(c), uint96(a >> 160));
            else if (what == 3) handler.topUp(a, b, uint96(c));
            else if (what == 4) handler.update(a, uint96(b), uint8(c));
            else if (what == 5) handler.requestClose(a, b);
            else if (what == 6) handler.requestCloseFor(a, b, uint8(c));
            else if (what == 7) handler.cancelClose(a, b);
            else if (what == 8) handler.pass(a);
            else if (what == 9) refund(a);
            else if (what == 10) handler.cooperativeClose(a, uint96(b), c, uint8(a >> 160));
            else if (what < 14) claim(a, b, c);
            else if (what == 14) handler.withdraw(a, b % 2 == 0);
            else handler.force(uint64(a));
        }
    }

    function refund(uint256 a) private {
        for (uint256 i = 0; i < 3; ++i) {
            handler.requestClose(a, i);
        }
        handler.pass(25 hours);
        handler.refund(a);
    }

    function claim(uint256 a, uint256 b, uint256 c) private {
        uint256[4] memory seeds = [a, b, c, a];
        uint96[4] memory amounts = [uint96(b), uint96(c), uint96(a), uint96(a >> 32)];
        uint8[4] memory faults = [uint8(a), uint8(a >> 8), uint8(a >> 16), uint8(a >> 24)];
        handler.claim(seeds, amounts, faults);
    }
}

contract NativeInvariants is Invariants {
    function setUp() external {
        deploy(address(0));
    }

    function heldIsOwed() internal view override {
        (uint256 open, uint256 balances, uint256 bonds) = handler.debts();
        require(address(market).balance == open + balances + bonds + handler.forced(), "what is held is not what is owed");
    }
}

contract TokenInvariants is Invariants {
    GoodToken private token;

    function setUp() external {
        token = new GoodToken();
        deploy(address(token));
    }

    function heldIsOwed() internal view override {
        (uint256 open, uint256 balances, uint256 bonds) = handler.debts();
        require(token.balanceOf(address(market)) == open + balances, "the tokens held are not those owed");
        require(address(market).balance == bonds + handler.forced(), "the bonds held are not those owed");
    }
}
