# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034  # for those who source it
#
# Sourced by the scripts that run programs with the test driver for edu. Defines two more devices,
# and the commands by which a guest gives all four devices to the driver, once the driver is loaded.

# All devices behind a conventional PCI bridge share one group.
edu=edu,dma_mask=0xffffffffffffffff
edu_pair="-device pcie-pci-bridge,id=bridge -device $edu,bus=bridge,addr=1 -device $edu,bus=bridge,addr=2"
# shellcheck disable=SC2016  # for the guest to expand
edu_take_over='for d in /sys/bus/pci/drivers/vfio-pci/0*; do a=${d##*/}; echo edu_test >$d/driver_override; echo $a >$d/driver/unbind; echo $a >/sys/bus/pci/drivers_probe; done'
