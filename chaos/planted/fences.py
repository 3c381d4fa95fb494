"""Bugs by which two instances of a service write at once."""

from chaos.planted.planting import Edit, Plant

PLANTS = (
    Plant(
        "fence_admits_any_epoch",
        "Before each write I look whether there is an epoch, not whether it is this writer's.",
        (
            Edit(
                "runtime.stores.epochs:EpochFence.quickly",
                "!= (self._epoch,)",
                "is None",
            ),
        ),
        experiment="former_execution_goes_on",
        check="fill_booked_once",
    ),
    Plant(
        "epoch_checked_at_start_only",
        "Who has taken an epoch is asked for it once, and writes for as long as it runs.",
        (
            Edit(
                "runtime.stores.epochs:become_writer",
                "database.fence(EpochFence(epochs, shard, epoch))",
                "await database.write(EpochFence(epochs, shard, epoch))",
            ),
        ),
        experiment="former_execution_goes_on",
        check="positions_match_exchange",
    ),
    Plant(
        "epoch_taken_and_not_raised",
        "A shard that has an epoch keeps it: I raised it from 0 only.",
        (
            Edit(
                "runtime.stores.epochs:Epochs.take",
                "epoch = current + 1",
                "epoch = current or 1",
            ),
        ),
        experiment="former_execution_goes_on",
        check="cash_conserved",
    ),
    Plant(
        "orders_sends_its_epoch_and_heeds_it_not",
        "Execution refuses a former orders service; I did not have its own store refuse it, too.",
        (
            Edit(
                "services.orders.recovery:Recovery.take_over",
                "database.fence(EpochFence(epochs, SHARD, epoch))",
                "pass",
            ),
        ),
        experiment="former_orders_goes_on",
        check="everything_recovers_in_time",
    ),
)
