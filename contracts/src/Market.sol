// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title Market: escrow between those who use models and those who run them
/// @notice One asset per deployment: the chain's own currency, or a token. Nobody owns, stops or changes it. Tokens that
/// take a fee or change balances by themselves are not supported: the first are refused, the second lose their holders money.
/// @dev What each function does to the state is in docs/spec/contract.md. No event field is indexed: readers take the
/// whole log, since a filter tells its server who is asking about whom, and a topic costs more than a word of data.
contract Market is EIP712 {
    using SafeERC20 for IERC20;

    /// @notice How long a provider has to claim after a payer asked to close.
    uint256 public constant DISPUTE_TIME = 24 hours;

    /// @notice The longest descriptor, in bytes: every reader of the log keeps each.
    uint256 public constant MAX_DESCRIPTOR = 4096;

    /// @notice The furthest end of a bond: a mistyped one should not lock money for ever.
    uint256 public constant MAX_BOND_TIME = 730 days;

    bytes32 private constant VOUCHER_TYPE =
        keccak256("Voucher(bytes32 channelId,uint24 epoch,uint96 cumulative,bytes32 transcript)");
    bytes32 private constant RELEASE_TYPE =
        keccak256("Release(bytes32 channelId,uint24 epoch,uint96 finalCumulative,uint64 deadline)");
    bytes32 private constant CLOSE_TYPE = keccak256("Close(bytes32 channelId,uint24 epoch,uint64 deadline)");
    bytes32 private constant RESULT_TYPE = keccak256(
        "Result(bytes32 channelId,uint24 epoch,bytes16 roundId,bool finalResult,bytes32 requestHash,bytes32 responseHash,uint64 input,uint64 cached,uint64 output,uint96 cost,uint8 status)"
    );

    /// @notice What is paid in; zero is the chain's own currency. Bonds are always in the latter.
    IERC20 public immutable asset;

    /// @dev A price that a provider asked for once. Never changed after it was added: channels name the terms they were bought
    /// under, so that a channel takes two slots and still knows its provider and its price.
    struct Terms {
        address provider;
        uint96 price; // wei per million standard output tokens
    }

    struct Provider {
        address payout;
        uint48 terms; // the current ones
        uint40 sequence; // rises with each change
        bool active;
        bytes32 descriptor; // the hash; the bytes are in the event
    }

    struct Bond {
        uint96 amount;
        uint64 until;
    }

    /// @dev The session key is not stored: whoever shows a signature shows the key, and provider, key and funder hash to the id.
    struct Channel {
        uint96 deposited;
        uint96 claimed;
        uint40 closeAt; // zero: nobody asked
        uint24 epoch;
        address funder; // zero: nobody ever bought
        uint48 terms;
    }

    /// @notice A voucher with its signature in the form of EIP-2098.
    struct Entry {
        bytes32 channelId;
        uint24 epoch;
        uint96 cumulative;
        bytes32 transcript;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice A provider's word about a round, with its signature.
    struct Result {
        bytes32 channelId;
        uint24 epoch;
        bytes16 roundId;
        bool finalResult;
        bytes32 requestHash;
        bytes32 responseHash;
        uint64 input;
        uint64 cached;
        uint64 output;
        uint96 cost;
        uint8 status;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice What is held of a provider.
    struct ProviderView {
        address provider;
        address payout;
        uint96 price;
        uint40 sequence;
        bool active;
        bytes32 descriptor;
        uint96 bond;
        uint64 bondUntil;
    }

    /// @notice What is held of a channel.
    struct ChannelView {
        address provider;
        address funder;
        uint24 epoch;
        uint96 deposited;
        uint96 claimed;
        uint96 locked;
        uint40 closeAt;
    }

    /// @notice What a payer asks about.
    struct Status {
        bytes32 channelId;
        uint24 epoch;
        uint96 deposited;
        uint96 claimed;
        uint96 remaining;
        uint256 remainingTokens; // at the locked price, a figure for people
        uint96 locked;
        uint40 closeAt;
    }

    /// @notice Why an entry of a claim changed nothing.
    enum Skip {
        Unknown, // nobody bought that channel
        Epoch, // the voucher is of another epoch
        Stale, // as much was claimed already
        Signature // it is not the session key's

    }

    event Registered(address provider, uint40 sequence, address payout, uint96 price, bytes descriptor, bytes32 content);
    event Updated(address provider, uint40 sequence, address payout, uint96 price, bytes descriptor, bytes32 content);
    event Exited(address provider, uint40 sequence);
    event Bought(
        bytes32 channelId, address provider, address key, address funder, uint24 epoch, uint96 amount, uint96 locked
    );
    event ToppedUp(bytes32 channelId, uint24 epoch, uint96 amount);
    event Credited(address owner, uint256 amount);
    event CloseRequested(bytes32 channelId, uint24 epoch, uint40 closeAt);
    event CloseCancelled(bytes32 channelId, uint24 epoch);
    /// @dev The epoch is the one that ended, here and in Closed.
    event Refunded(bytes32 channelId, uint24 epoch, uint96 amount);
    event Closed(bytes32 channelId, uint24 epoch, uint96 finalCumulative, uint96 refunded);
    event Claimed(bytes32 channelId, uint24 epoch, uint96 cumulative);
    event ClaimClamped(bytes32 channelId, uint24 epoch, uint96 cumulative, uint96 deposited);
    event ClaimSkipped(bytes32 channelId, uint24 epoch, uint96 cumulative, Skip reason);
    event ClaimContent(address sender, bytes32 content);
    event Withdrawn(address owner, address to, uint256 amount);
    event Bonded(address provider, uint96 total, uint64 until);
    event Unbonded(address provider, address to, uint96 amount);
    event Slashed(
        address provider, bytes32 channelId, uint24 epoch, bytes16 roundId, address reporter, uint96 burnt, uint96 reward
    );

    error NoToken(address asset);
    error ZeroAddress();
    error ZeroPrice();
    error ZeroAmount();
    error DescriptorTooLong(uint256 length);
    error AlreadyRegistered(address provider);
    error NotRegistered(address provider);
    error PriceAbove(uint96 price, uint96 limit);
    error WrongValue(uint256 sent, uint256 wanted);
    error ShortTransfer(uint256 received, uint256 wanted);
    error UnknownChannel(bytes32 channelId);
    error Closing(uint40 closeAt);
    error NotClosing();
    error TooEarly(uint256 opens);
    error TooLate(uint256 closed);
    error NotFunder(address sender);
    error WrongEpoch(uint24 epoch);
    error LastEpoch();
    error WrongAmount(uint96 claimed, uint96 deposited);
    error BadSignature();
    error NothingToWithdraw();
    error NoBond();
    error BadBondTime(uint256 earliest, uint256 latest);
    error NoContradiction();

    mapping(address => Provider) private _providers;
    mapping(address => Bond) private _bonds;
    mapping(bytes32 => Channel) private _channels;
    mapping(address => uint256) private _balances;
    uint48 private _termsCount;
    Terms[1 << 48] private _terms; // of a fixed length, since another would be read with each; the rest is never touched

    constructor(IERC20 asset_) EIP712("Culvert", "1") {
        if (address(asset_) != address(0) && address(asset_).code.length == 0) revert NoToken(address(asset_));
        asset = asset_;
    }

    // Providers.

    /// @notice Offers the sender's models at a price. The descriptor's bytes are in the event, their hash in storage.
    /// @param content optional: the digest of a content id under which the descriptor can be found too
    function register(address payout, uint96 price, bytes calldata descriptor, bytes32 content) external {
        Provider storage p = _providers[msg.sender];
        if (p.active) revert AlreadyRegistered(msg.sender);
        uint40 sequence = _offer(p, p.sequence, payout, price, descriptor, _addTerms(price));
        emit Registered(msg.sender, sequence, payout, price, descriptor, content);
    }

    /// @notice Changes what the sender offers. Channels that were bought keep their price.
    function update(address payout, uint96 price, bytes calldata descriptor, bytes32 content) external {
        Provider storage p = _providers[msg.sender];
        if (!p.active) revert NotRegistered(msg.sender);
        uint48 terms = p.terms;
        if (_terms[terms].price != price) terms = _addTerms(price);
        uint40 sequence = _offer(p, p.sequence, payout, price, descriptor, terms);
        emit Updated(msg.sender, sequence, payout, price, descriptor, content);
    }

    /// @notice Sells no more. What was bought stays good.
    function exit() external {
        Provider storage p = _providers[msg.sender];
        if (!p.active) revert NotRegistered(msg.sender);
        p.active = false;
        emit Exited(msg.sender, ++p.sequence);
    }

    function _addTerms(uint96 price) private returns (uint48 index) {
        index = _termsCount++;
        _terms[index] = Terms(msg.sender, price);
    }

    function _offer(
        Provider storage p,
        uint40 sequence,
        address payout,
        uint96 price,
        bytes calldata descriptor,
        uint48 terms
    ) private returns (uint40) {
        if (payout == address(0)) revert ZeroAddress();
        if (price == 0) revert ZeroPrice();
        if (descriptor.length > MAX_DESCRIPTOR) revert DescriptorTooLong(descriptor.length);
        ++sequence;
        p.payout = payout;
        p.terms = terms;
        p.sequence = sequence;
        p.active = true;
        p.descriptor = keccak256(descriptor);
        return sequence;
    }

    // Payers.

    /// @notice Puts money into the sender's channel with a provider and a session key, and locks the provider's price for all that is
    /// in it. Of the chain's own currency, what was sent beyond the amount is credited to the sender.
    function buy(address provider_, address key, uint96 amount, uint96 maxPrice) external payable {
        _take(amount);
        if (key == address(0)) revert ZeroAddress();
        Provider storage p = _providers[provider_];
        if (!p.active) revert NotRegistered(provider_);
        uint48 terms = p.terms;
        uint96 price = _terms[terms].price;
        if (price > maxPrice) revert PriceAbove(price, maxPrice);
        bytes32 id = _idOf(provider_, key, msg.sender);
        Channel storage c = _channels[id];
        uint24 epoch = _deposit(c, amount);
        c.funder = msg.sender;
        c.terms = terms;
        emit Bought(id, provider_, key, msg.sender, epoch, amount, price);
    }

    /// @notice Adds to what is in anybody's channel, and changes nothing else.
    function topUp(bytes32 channelId, uint96 amount) external payable {
        _take(amount);
        Channel storage c = _known(channelId);
        Terms memory locked = _terms[c.terms];
        Provider storage p = _providers[locked.provider];
        if (!p.active) revert NotRegistered(locked.provider);
        uint96 price = _terms[p.terms].price;
        if (price > locked.price) revert PriceAbove(price, locked.price);
        emit ToppedUp(channelId, _deposit(c, amount), amount);
    }

    /// @dev Comes first in its callers: a token may call back, and must find nothing half done.
    function _take(uint96 amount) private {
        if (amount == 0) revert ZeroAmount();
        if (address(asset) == address(0)) {
            if (msg.value < amount) revert WrongValue(msg.value, amount);
            if (msg.value > amount) _credit(msg.sender, msg.value - amount);
            return;
        }
        if (msg.value != 0) revert WrongValue(msg.value, 0);
        uint256 before = asset.balanceOf(address(this));
        asset.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = asset.balanceOf(address(this)) - before;
        if (received != amount) revert ShortTransfer(received, amount);
    }

    function _credit(address owner, uint256 amount) private {
        _balances[owner] += amount;
        emit Credited(owner, amount);
    }

    /// @dev In its last epoch a channel could not be refunded, so it takes no money.
    function _deposit(Channel storage c, uint96 amount) private returns (uint24 epoch) {
        if (c.closeAt != 0) revert Closing(c.closeAt);
        epoch = c.epoch;
        if (epoch == type(uint24).max) revert LastEpoch();
        c.deposited += amount;
    }

    /// @notice Begins the dispute time, after which anybody can have the rest refunded to the funder.
    function requestClose(bytes32 channelId) external {
        Channel storage c = _known(channelId);
        if (msg.sender != c.funder) revert NotFunder(msg.sender);
        _close(c, channelId, c.epoch);
    }

    /// @notice The same, by anybody who has the funder's signed Close. It counts until its deadline, also after a cancelClose.
    function requestCloseFor(bytes32 channelId, uint24 epoch, uint64 deadline, bytes32 r, bytes32 vs) external {
        Channel storage c = _known(channelId);
        if (epoch != c.epoch) revert WrongEpoch(c.epoch);
        if (block.timestamp > deadline) revert TooLate(deadline);
        if (_signer(keccak256(abi.encode(CLOSE_TYPE, channelId, epoch, deadline)), r, vs) != c.funder) {
            revert BadSignature();
        }
        _close(c, channelId, epoch);
    }

    /// @dev No effect while closing, so that nobody can put the end off.
    function _close(Channel storage c, bytes32 channelId, uint24 epoch) private {
        if (c.closeAt != 0) return;
        uint40 closeAt = uint40(block.timestamp + DISPUTE_TIME);
        c.closeAt = closeAt;
        emit CloseRequested(channelId, epoch, closeAt);
    }

    /// @notice Goes on with a channel that was to be closed, as long as it was not refunded.
    function cancelClose(bytes32 channelId) external {
        Channel storage c = _known(channelId);
        if (msg.sender != c.funder) revert NotFunder(msg.sender);
        if (c.closeAt == 0) revert NotClosing();
        c.closeAt = 0;
        emit CloseCancelled(channelId, c.epoch);
    }

    /// @notice Credits what was not claimed to the funder, and ends the epoch: its vouchers are worth nothing then.
    function refund(bytes32 channelId) external {
        Channel storage c = _known(channelId);
        uint40 closeAt = c.closeAt;
        if (closeAt == 0) revert NotClosing();
        if (block.timestamp < closeAt) revert TooEarly(closeAt);
        uint24 epoch = c.epoch;
        uint96 amount = c.deposited - c.claimed;
        _endEpoch(c, epoch);
        _balances[c.funder] += amount;
        emit Refunded(channelId, epoch, amount);
    }

    /// @notice Closes at once, at an amount to which the provider consented by its signed Release. Only for the funder.
    function cooperativeClose(
        bytes32 channelId,
        uint24 epoch,
        uint96 finalCumulative,
        uint64 deadline,
        bytes32 r,
        bytes32 vs
    ) external {
        Channel storage c = _known(channelId);
        if (msg.sender != c.funder) revert NotFunder(msg.sender);
        if (epoch != c.epoch) revert WrongEpoch(c.epoch);
        if (block.timestamp > deadline) revert TooLate(deadline);
        (uint96 claimed, uint96 deposited) = (c.claimed, c.deposited);
        if (finalCumulative < claimed || finalCumulative > deposited) revert WrongAmount(claimed, deposited);
        address provider_ = _terms[c.terms].provider;
        bytes32 release = keccak256(abi.encode(RELEASE_TYPE, channelId, epoch, finalCumulative, deadline));
        if (_signer(release, r, vs) != provider_) revert BadSignature();
        _endEpoch(c, epoch);
        _balances[provider_] += finalCumulative - claimed;
        _balances[msg.sender] += deposited - finalCumulative;
        emit Closed(channelId, epoch, finalCumulative, deposited - finalCumulative);
    }

    function _endEpoch(Channel storage c, uint24 epoch) private {
        c.deposited = 0;
        c.claimed = 0;
        c.closeAt = 0;
        c.epoch = epoch + 1;
    }

    // Claims.

    /// @notice Credits providers with what vouchers say, for anybody who brings them. An entry that is no good is skipped, one
    /// beyond the deposit is cut to it; neither changes what becomes of the others.
    /// @param content optional: the digest of a content id of what the claim is about
    function claim(Entry[] calldata entries, bytes32 content) external {
        bytes32 domain = _domainSeparatorV4();
        address provider_; // whom the sum is for: entries of one provider write its balance once
        uint256 sum;
        for (uint256 i = 0; i < entries.length; ++i) {
            (address to, uint256 amount) = _claim(domain, entries[i]);
            if (amount == 0) continue;
            if (to != provider_) {
                if (sum != 0) _balances[provider_] += sum;
                (provider_, sum) = (to, 0);
            }
            unchecked {
                sum += amount; // 96 bits each
            }
        }
        if (sum != 0) _balances[provider_] += sum;
        if (content != 0) emit ClaimContent(msg.sender, content);
    }

    /// @return to whom the entry pays, if the amount is not zero
    /// @return amount what it adds
    function _claim(bytes32 domain, Entry calldata e) private returns (address to, uint256 amount) {
        bytes32 id = e.channelId;
        uint24 epoch = e.epoch;
        uint96 cumulative = e.cumulative;
        Channel storage c = _channels[id];
        (uint96 deposited, uint96 claimed, uint24 current) = (c.deposited, c.claimed, c.epoch);
        (address funder, uint48 terms) = (c.funder, c.terms);
        uint96 end = cumulative;
        if (cumulative > deposited) end = deposited;
        // Where nobody ever bought, the deposit is zero.
        if (end <= claimed || epoch != current) {
            Skip reason = funder == address(0) ? Skip.Unknown : epoch != current ? Skip.Epoch : Skip.Stale;
            return _skip(id, epoch, cumulative, reason);
        }
        to = _terms[terms].provider;
        // No channel has a key of zero, which is what comes back for what is not a signature: buy refuses it.
        address key = _recover(MessageHashUtils.toTypedDataHash(domain, _voucherOf(e)), e.r, e.vs);
        if (_idOf(to, key, funder) != id) return _skip(id, epoch, cumulative, Skip.Signature);
        c.claimed = end;
        if (end != cumulative) emit ClaimClamped(id, epoch, cumulative, end);
        emit Claimed(id, epoch, end);
        unchecked {
            amount = end - claimed; // it is less: see above
        }
    }

    function _skip(bytes32 id, uint24 epoch, uint96 cumulative, Skip reason) private returns (address, uint256) {
        emit ClaimSkipped(id, epoch, cumulative, reason);
        return (address(0), 0);
    }

    /// @notice Sends the sender's whole balance.
    /// @param to where; zero is the payout address of a provider, and the sender himself else
    function withdraw(address to) external {
        uint256 amount = _balances[msg.sender];
        if (amount == 0) revert NothingToWithdraw();
        _balances[msg.sender] = 0;
        if (to == address(0)) to = _providers[msg.sender].payout;
        if (to == address(0)) to = msg.sender;
        emit Withdrawn(msg.sender, to, amount);
        if (address(asset) == address(0)) {
            Address.sendValue(payable(to), amount);
        } else {
            asset.safeTransfer(to, amount);
        }
    }

    // Bonds.

    /// @notice Adds what is sent to the sender's bond, in the chain's own currency. The bond is at stake until the time given,
    /// which is never earlier than it was.
    function bond(uint64 until) external payable {
        if (!_providers[msg.sender].active) revert NotRegistered(msg.sender);
        Bond storage b = _bonds[msg.sender];
        uint256 earliest = b.until > block.timestamp ? b.until : block.timestamp + 1;
        uint256 latest = block.timestamp + MAX_BOND_TIME;
        if (until < earliest || until > latest) revert BadBondTime(earliest, latest);
        uint256 total = b.amount + msg.value;
        if (total == 0) revert ZeroAmount();
        if (total > type(uint96).max) revert WrongValue(msg.value, type(uint96).max - b.amount);
        b.amount = uint96(total);
        b.until = until;
        emit Bonded(msg.sender, uint96(total), until);
    }

    /// @notice Sends a bond whose time is over to its provider's payout address.
    function unbond() external {
        Bond memory b = _bonds[msg.sender];
        if (b.amount == 0) revert NoBond();
        if (block.timestamp < b.until) revert TooEarly(b.until);
        delete _bonds[msg.sender];
        address to = _providers[msg.sender].payout;
        emit Unbonded(msg.sender, to, b.amount);
        Address.sendValue(payable(to), b.amount);
    }

    /// @notice Takes the bond of a provider that gave two final words about one round: nine tenths are burnt, the rest is sent to
    /// the sender.
    function slash(Result calldata a, Result calldata b) external {
        if (!a.finalResult || !b.finalResult) revert NoContradiction();
        if (a.channelId != b.channelId || a.epoch != b.epoch || a.roundId != b.roundId) revert NoContradiction();
        (bytes32 hashA, bytes32 hashB) = (_hashOf(a), _hashOf(b));
        if (hashA == hashB) revert NoContradiction();
        address provider_ = _terms[_known(a.channelId).terms].provider;
        if (_signer(hashA, a.r, a.vs) != provider_ || _signer(hashB, b.r, b.vs) != provider_) revert BadSignature();
        Bond memory held = _bonds[provider_];
        if (held.amount == 0) revert NoBond();
        if (block.timestamp >= held.until) revert TooLate(held.until);
        delete _bonds[provider_];
        uint96 reward = held.amount / 10;
        uint96 burnt = held.amount - reward;
        emit Slashed(provider_, a.channelId, a.epoch, a.roundId, msg.sender, burnt, reward);
        Address.sendValue(payable(address(0)), burnt);
        if (reward != 0) Address.sendValue(payable(msg.sender), reward);
    }

    function _hashOf(Result calldata x) private pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                abi.encode(RESULT_TYPE, x.channelId, x.epoch, x.roundId, x.finalResult, x.requestHash),
                abi.encode(x.responseHash, x.input, x.cached, x.output, x.cost, x.status)
            )
        );
    }

    // What is held.

    /// @notice Providers that sell, by the order in which they came to their prices. Ask again from start + count until that is total.
    /// @return page those among the count entries from start on; entries of prices that were changed, and of who left, are left out
    /// @return total how many entries there are
    function providers(uint256 start, uint256 count) external view returns (ProviderView[] memory page, uint256 total) {
        total = _termsCount;
        uint256 end = start < total ? (count < total - start ? start + count : total) : start;
        page = new ProviderView[](end - start);
        uint256 n;
        for (uint256 i = start; i < end; ++i) {
            address a = _terms[i].provider;
            if (_providers[a].active && _providers[a].terms == i) page[n++] = provider(a);
        }
        assembly ("memory-safe") {
            mstore(page, n)
        }
    }

    /// @notice One provider; of one that never registered, all is zero.
    function provider(address a) public view returns (ProviderView memory v) {
        Provider memory p = _providers[a];
        if (p.sequence == 0) return v;
        Bond memory b = _bonds[a];
        return ProviderView(a, p.payout, _terms[p.terms].price, p.sequence, p.active, p.descriptor, b.amount, b.until);
    }

    /// @notice One channel; of one that nobody bought, all is zero. Its session key is in the event only.
    function channel(bytes32 channelId) public view returns (ChannelView memory v) {
        Channel memory c = _channels[channelId];
        if (c.funder == address(0)) return v;
        Terms memory t = _terms[c.terms];
        return ChannelView(t.provider, c.funder, c.epoch, c.deposited, c.claimed, t.price, c.closeAt);
    }

    /// @notice The channel of a provider, a session key and a funder.
    function status(address provider_, address key, address funder) external view returns (Status memory) {
        bytes32 id = _idOf(provider_, key, funder);
        ChannelView memory c = channel(id);
        uint96 remaining = c.deposited - c.claimed;
        uint256 tokens = c.locked == 0 ? 0 : uint256(remaining) * 1e6 / c.locked;
        return Status(id, c.epoch, c.deposited, c.claimed, remaining, tokens, c.locked, c.closeAt);
    }

    /// @notice What its owner can withdraw.
    function balanceOf(address owner) external view returns (uint256) {
        return _balances[owner];
    }

    /// @notice The hash of the domain in which signatures count.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _known(bytes32 channelId) private view returns (Channel storage c) {
        c = _channels[channelId];
        if (c.funder == address(0)) revert UnknownChannel(channelId);
    }

    /// @dev keccak256(abi.encode(provider_, key, funder)), in memory that is used again: a claim computes it for each entry.
    function _idOf(address provider_, address key, address funder) private pure returns (bytes32 id) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, provider_)
            mstore(add(p, 0x20), key)
            mstore(add(p, 0x40), funder)
            id := keccak256(p, 0x60)
        }
    }

    /// @dev keccak256(abi.encode(VOUCHER_TYPE, e.channelId, e.epoch, e.cumulative, e.transcript)): the first four words of an entry
    /// are the voucher's. Its callers have read epoch and cumulative, which reverts where they are wider than their types.
    function _voucherOf(Entry calldata e) private pure returns (bytes32 hash) {
        bytes32 type_ = VOUCHER_TYPE;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, type_)
            calldatacopy(add(p, 0x20), e, 0x80)
            hash := keccak256(p, 0xa0)
        }
    }

    /// @dev Never the zero address: what is not a signature reverts.
    function _signer(bytes32 structHash, bytes32 r, bytes32 vs) private view returns (address signer) {
        signer = _recover(_hashTypedDataV4(structHash), r, vs);
        if (signer == address(0)) revert BadSignature();
    }

    /// @dev Zero for what is not a signature. Compact form: the parity is the top bit of vs, and s has to be low.
    function _recover(bytes32 digest, bytes32 r, bytes32 vs) private pure returns (address signer) {
        unchecked {
            uint8 v = uint8(27 + (uint256(vs) >> 255));
            (signer,,) = ECDSA.tryRecover(digest, v, r, vs & bytes32(type(uint256).max >> 1));
        }
    }
}
