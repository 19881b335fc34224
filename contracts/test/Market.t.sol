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

/// @notice Does to a market whatever chance says, as a few people, and keeps account of what was signed and paid.
contract Handler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Market public immutable market;
    GoodToken public immutable token; // zero: the chain's own currency
    uint256 public constant PEOPLE = 3; // of each kind
    bytes32[] public ids;
    mapping(uint256 => address) private addressOf; // of private keys
    mapping(bytes32 => uint256) public providerOf; // private keys
    mapping(bytes32 => uint256) public keyOf;
    mapping(bytes32 => uint256) public funderOf;
    mapping(bytes32 => mapping(uint24 => uint256)) public signed; // the most that was ever signed, of a channel and epoch
    mapping(bytes32 => mapping(uint24 => uint256)) public paid; // the most that was ever claimed
    mapping(address => uint256) public received; // by providers, from the contract and as balance
    mapping(address => uint256) public owed; // at most, to providers
    uint256 public forced; // native money nobody owes
    uint256 public time = 1_800_000_000;
    string public broken; // the first rule that did not hold

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

    function buy(uint256 seed, uint96 amount, uint96 change, uint96 maxPrice) external {
        bytes32 id = _id(seed);
        amount %= 1e24;
        uint256 value = _value(uint256(amount) + change % 1000);
        (address p, address k, address f) = (_addr(providerOf[id]), _addr(keyOf[id]), _addr(funderOf[id]));
        vm.prank(f);
        try market.buy{value: value}(p, k, amount, maxPrice % 30) {} catch {}
    }

    function topUp(uint256 seed, uint256 who, uint96 amount) external {
        amount %= 1e24;
        vm.prank(_addr(_funder(who)));
        try market.topUp{value: _value(amount)}(_id(seed), amount) {} catch {}
    }

    function update(uint256 who, uint96 price, uint8 what) external {
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

    function requestClose(uint256 seed, uint256 who) external {
        vm.prank(_addr(_funder(who)));
        try market.requestClose(_id(seed)) {} catch {}
    }

    function requestCloseFor(uint256 seed, uint256 key, uint8 stale) external {
        bytes32 id = _id(seed);
        uint24 epoch = market.channel(id).epoch;
        if (stale % 8 == 0 && epoch > 0) epoch -= 1;
        uint256 signer = key % 4 == 0 ? _session(key) : funderOf[id];
        (bytes32 r, bytes32 vs) =
            _sign(signer, keccak256(abi.encode(keccak256("Close(bytes32 channelId,uint24 epoch,uint64 deadline)"), id, epoch, uint64(time))));
        try market.requestCloseFor(id, epoch, uint64(time), r, vs) {
            if (signer != funderOf[id]) broken = "closed by somebody else's signature";
            if (epoch != market.channel(id).epoch) broken = "closed by a signature of another epoch";
        } catch {}
    }

    function cancelClose(uint256 seed, uint256 who) external {
        vm.prank(_addr(_funder(who)));
        try market.cancelClose(_id(seed)) {} catch {}
    }

    function pass(uint256 for_) external {
        time += for_ % 30 hours;
        vm.warp(time);
    }

    function refund(uint256 seed) external {
        bytes32 id = _id(seed);
        Market.ChannelView memory c = market.channel(id);
        address funder = _addr(funderOf[id]);
        uint256 before = market.balanceOf(funder);
        try market.refund(id) {
            if (market.balanceOf(funder) - before != c.deposited - c.claimed) broken = "the refund is not what was left";
            if (c.closeAt == 0 || time < c.closeAt) broken = "refunded too early";
        } catch {
            if (c.closeAt != 0 && time >= c.closeAt) broken = "a refund was refused after the dispute time";
        }
    }

    function cooperativeClose(uint256 seed, uint96 amount, uint256 signer, uint8 stale) external {
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
            if (key != providerOf[id] || epoch != c.epoch) broken = "closed without the provider's consent";
            if (end < c.claimed || end > c.deposited) broken = "closed at an amount that cannot be";
            if (end > signed[id][epoch]) owed[_addr(providerOf[id])] += end - signed[id][epoch];
            if (end > signed[id][epoch]) signed[id][epoch] = end;
        } catch {}
    }

    /// @notice Claims a batch of vouchers, good and bad, and one of them alone on the side: no entry changes another's result.
    function claim(uint256[4] calldata seeds, uint96[4] calldata amounts, uint8[4] calldata faults) external {
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
            if (c.claimed != want[i]) broken = "a claim is not what its good vouchers say";
            if (c.claimed < paid[ids[i]][c.epoch]) broken = "claimed shrank within an epoch";
            paid[ids[i]][c.epoch] = c.claimed;
            if (c.claimed > signed[ids[i]][c.epoch]) broken = "more was claimed than was signed";
        }
    }

    function withdraw(uint256 who, bool funder) external {
        address a = _addr(funder ? _funder(who) : _provider(who));
        uint256 amount = market.balanceOf(a);
        vm.prank(a);
        try market.withdraw(address(0)) {
            if (!funder) received[a] += amount;
        } catch {
            if (amount != 0) broken = "a withdrawal was refused";
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

    function check() internal view {
        require(bytes(handler.broken()).length == 0, handler.broken());
        require(!handler.overpaid(), "a provider has more than was signed for it");
    }
}

contract NativeInvariants is Invariants {
    function setUp() external {
        deploy(address(0));
    }

    function invariant_holds() external view {
        check();
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

    function invariant_holds() external view {
        check();
        (uint256 open, uint256 balances, uint256 bonds) = handler.debts();
        require(token.balanceOf(address(market)) == open + balances, "the tokens held are not those owed");
        require(address(market).balance == bonds + handler.forced(), "the bonds held are not those owed");
    }
}
