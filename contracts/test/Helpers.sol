// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

// What a market meets that is not a person: tokens and contracts, good and bad.

/// @notice A token as it should be. Anybody makes himself some.
contract GoodToken is ERC20("Good", "GOOD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice A token that keeps a hundredth of each transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from != address(0) && to != address(0)) {
            super._update(from, address(this), amount / 100);
            amount -= amount / 100;
        }
        super._update(from, to, amount);
    }
}

/// @notice A token from before transfers returned anything; one that fails reverts.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice A token that says no instead of reverting.
contract RefusingToken is GoodToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @notice A token that calls its holder before each of its transfers.
contract HookToken is GoodToken {
    function _update(address from, address to, uint256 amount) internal override {
        if (from.code.length != 0) Puppet(payable(from)).received();
        super._update(from, to, amount);
    }
}

/// @notice An account that does what it is told, and once more when it is called back or is sent money.
contract Puppet {
    address public target;
    uint256 public value;
    bytes public data;
    bool public armed;
    bool public refuses; // to be sent money
    bool public succeeded; // what it did when it was called back
    bytes public answer;

    /// @notice Does this now.
    function act(address to, uint256 amount, bytes calldata what) external payable returns (bytes memory out) {
        bool ok;
        (ok, out) = to.call{value: amount}(what);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(out, 0x20), mload(out))
            }
        }
    }

    /// @notice Does this when it is called back, once.
    function arm(address to, uint256 amount, bytes calldata what) external payable {
        (target, value, data, armed) = (to, amount, what, true);
    }

    function refuse(bool yes) external {
        refuses = yes;
    }

    function received() public {
        if (!armed) return;
        armed = false;
        (succeeded, answer) = target.call{value: value}(data);
    }

    receive() external payable {
        require(!refuses, "no");
        received();
    }
}

/// @notice Leaves its money to an address that cannot refuse it.
contract Forcer {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
