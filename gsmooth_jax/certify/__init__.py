"""From images to claims: the compiled kernel, the scheduler that keeps it busy, and the driver that streams."""

from gsmooth_jax.certify.closed_form import Plan as Plan
from gsmooth_jax.certify.closed_form import plan as plan
from gsmooth_jax.certify.config import Execution as Execution
from gsmooth_jax.certify.config import Guarantee as Guarantee
from gsmooth_jax.certify.config import Test as Test
from gsmooth_jax.certify.driver import batch_counter as batch_counter
from gsmooth_jax.certify.driver import certify_stream as certify_stream
